//! F36, F37 and F39: the client ends.

use std::sync::Arc;
use std::time::Duration;

use statem::ExitReason;
use statem::net::{Client, LinkConfig, NotSent, RequestError};
use tokio::io::{AsyncReadExt, duplex};
use tokio::net::TcpListener;

use crate::support::caller::{Caller, How, Rig, all, balanced};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::protocol::{Lines, Manners};
use crate::support::protocol::{greeting, lines};
use crate::support::row::{Row, tell};
use crate::support::server::{Conduct, Greeting};
use crate::support::time::{SLACK, millis, now, settle, until, within};

const DEADLINE: Duration = millis(2_000);

#[tokio::test(start_paused = true)]
async fn f36_a_graceful_stop_with_requests_in_flight() {
    let mut row = Row::new("F36", "shut down with requests in flight", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        delay: millis(500),
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b.window(8));
    caller.ready().await;
    let sent = caller.spawn_many(8, How::default());
    let waiting = caller.spawn_many(4, How::default());
    settle().await;
    let client = caller.client.clone();
    let began = now();
    let shutdown = tokio::spawn(async move { client.shutdown(DEADLINE).await });
    settle().await;
    let told = caller.ask(How::default()).await;
    row.told(
        "new calls",
        failed!(told, RequestError::NotSent(NotSent::Stopping)),
    );
    for told in all(waiting).await {
        failed!(told, RequestError::NotSent(NotSent::Stopping));
    }
    assert!(
        all(sent).await.iter().all(Result::is_ok),
        "answers are awaited"
    );
    let reason = within(DEADLINE, "it ends", shutdown).await.unwrap();
    assert!(matches!(reason, ExitReason::Normal), "{reason:?}");
    assert!(
        began.elapsed() < millis(600),
        "as soon as all is answered: {:?}",
        began.elapsed()
    );
    row.sees("those in flight get their answers; then the client has ended normally");
    rig.end(caller).await;

    // The answers do not come: at the deadline.
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b);
    caller.works().await;
    server.answers(false);
    let sent = caller.spawn_many(8, How::default());
    settle().await;
    let began = now();
    let reason = caller.client.shutdown(DEADLINE).await;
    assert!(matches!(reason, ExitReason::Shutdown), "{reason:?}");
    assert_eq!(began.elapsed(), DEADLINE);
    let told = all(sent).await;
    for told in &told {
        failed!(
            told,
            RequestError::Stopped {
                may_have_run: true,
                ..
            }
        );
    }
    row.told(
        "those without an answer at the deadline",
        told[0].as_ref().unwrap_err(),
    );
    rig.end(caller).await;
    row.end();
}

/// How each state is reached.
const STATES: [&str; 6] = [
    "Disconnected",
    "Connecting",
    "Handshaking",
    "Connected",
    "write-blocked",
    "Draining",
];

/// A client in this state, with calls that have no answer.
async fn in_state(rig: &mut Rig, state: &'static str) -> Caller<Lines> {
    let silent = rig.server(Conduct {
        greeting: Greeting::Silent,
        ..Conduct::default()
    });
    let server = rig.server(Conduct::default());
    server.answers(false);
    let blocked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let network = Network::new(&rig.tasks, move |_| match state {
        "Disconnected" => Fate::Refused,
        "Connecting" => Fate::Hangs,
        "Handshaking" => Fate::Reaches(silent.clone()),
        "write-blocked" => {
            let (near, far) = duplex(1_024);
            blocked.lock().unwrap().push(far);
            Fate::Wired(Box::new(near))
        }
        _ => Fate::Reaches(server.clone()),
    });
    rig.watch(&network);
    let protocol = if state == "Handshaking" {
        greeting()
    } else {
        lines()
    };
    let caller = rig.start(protocol, network.connector(), |b| {
        b.link(LinkConfig::default())
            .handshake_timeout(Duration::from_secs(60))
    });
    let name = match state {
        "write-blocked" | "Draining" => "Connected",
        other => other,
    };
    caller.until_in(name).await;
    caller
}

#[tokio::test(start_paused = true)]
async fn f37_stopped_in_each_state() {
    let mut row = Row::new(
        "F37",
        "stopped in each state, a blocked write included",
        "memory, loopback",
    );
    for state in STATES {
        for way in ["stop", "shutdown", "kill", "drop"] {
            let mut rig = Rig::default();
            let caller = in_state(&mut rig, state).await;
            let padding = if state == "write-blocked" { 5_000 } else { 0 };
            let calls = caller.spawn_many(
                4,
                How {
                    padding,
                    ..How::default()
                },
            );
            settle().await;
            let draining = (state == "Draining").then(|| {
                let client = caller.client.clone();
                tokio::spawn(async move { client.shutdown(Duration::from_secs(60)).await })
            });
            if draining.is_some() {
                caller.until_in("Draining").await;
            }
            let (client, began) = (caller.client.clone(), now());
            let limit = match way {
                "shutdown" => DEADLINE,
                _ => Duration::ZERO,
            };
            match way {
                "stop" => drop(client.stop().await),
                "shutdown" => drop(client.shutdown(DEADLINE).await),
                "kill" => client.kill(),
                // The calls hold handles: they end first.
                _ => calls.iter().for_each(tokio::task::JoinHandle::abort),
            }
            if way == "drop" {
                drop((client, caller));
                for call in calls {
                    let _ = call.await;
                }
                settle().await;
                if let Some(draining) = draining {
                    draining.abort();
                    let _ = draining.await;
                }
                rig.end_without().await;
                continue;
            }
            within(
                limit + millis(1),
                format!("{way} in {state}"),
                client.closed(),
            )
            .await;
            assert!(
                began.elapsed() <= limit,
                "{way} in {state} took {:?}",
                began.elapsed()
            );
            for told in all(calls).await {
                let error = told.expect_err("nothing was answered");
                let is_known = matches!(
                    error,
                    RequestError::Stopped { .. } | RequestError::NotSent(NotSent::Stopping)
                );
                assert!(is_known, "{way} in {state}: {error:?}");
            }
            let told = caller.ask(How::default()).await;
            failed!(
                told,
                RequestError::Stopped {
                    may_have_run: false,
                    ..
                }
            );
            if let Some(draining) = draining {
                let _ = draining.await;
            }
            drop(client);
            rig.end(caller).await;
        }
    }
    row.sees("`stop` and `kill` end it at once, `shutdown` at its deadline, the last handle's drop too; whoever waits is told");
    row.end();
}

#[tokio::test]
async fn f37_stopped_while_a_write_blocks_on_loopback() {
    let mut rig = Rig::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.watch_port(listener.local_addr().unwrap().port());
    let caller = rig.start(lines(), listener.local_addr().unwrap(), |b| b);
    let (socket, _) = listener.accept().await.unwrap();
    caller.ready().await;
    let calls = caller.spawn_many(
        200,
        How {
            padding: 100_000,
            ..How::default()
        },
    );
    until("nothing more is taken", || caller.counts().sent > 20).await;
    let began = now();
    within(SLACK, "it stops", caller.client.stop()).await;
    tell(
        "F37",
        format!("stopped while a write blocks in {:?}", began.elapsed()),
    );
    assert!(all(calls).await.iter().all(Result::is_err));
    drop((listener, socket));
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f39_the_protocol_panics_with_requests_in_flight() {
    let mut row = Row::new(
        "F39",
        "the protocol panics with requests in flight",
        "memory",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let panicking = Manners {
        panics_on: Some(5),
        ..Manners::default()
    };
    let caller = rig.start(Lines(panicking), network.connector(), |b| b);
    caller.works().await;
    server.answers(false);
    let calls = caller.spawn_many(8, How::default());
    settle().await;
    server.answers(true);
    let told = all(calls).await;
    assert!(matches!(told[..3], [Ok(2), Ok(3), Ok(4)]), "{told:?}");
    for told in &told[3..] {
        let reason = failed!(
            told,
            RequestError::Stopped {
                may_have_run: true,
                ..
            }
        );
        assert!(matches!(
            reason,
            RequestError::Stopped {
                reason: ExitReason::Panicked { .. },
                ..
            }
        ));
    }
    row.told("in flight", told[7].as_ref().unwrap_err());
    balanced(&caller.counts());
    drop(caller);

    // Restarted, while the network is down.
    network.plan(|_| Fate::Refused);
    let (clients, mut current) = tokio::sync::watch::channel(None);
    let peer = network.connector();
    let restarting = tokio::spawn(async move {
        // Who starts another one needs no more than this.
        loop {
            let panicking = Manners {
                panics_on: Some(11),
                ..Manners::default()
            };
            let client = Client::start(Lines(panicking), peer.clone());
            clients.send_replace(Some(client.clone()));
            client.closed().await;
        }
    });
    for restarts in 0..2 {
        let changed = within(DEADLINE, "there is another one", current.changed()).await;
        changed.expect("it restarts");
        let client = current.borrow_and_update().clone().expect("it is started");
        until("an attempt has failed", || {
            client.counts().connects_failed > 0
        })
        .await;
        let there = server.clone();
        network.plan(move |_| Fate::Reaches(there.clone()));
        let caller = Caller {
            client,
            ledger: rig.ledger.clone(),
        };
        let told = caller.ask(How::default()).await;
        // The keys go on: 10 is answered, 11 panics, then 12 is answered.
        assert!(told.is_ok(), "{told:?}");
        if restarts == 0 {
            network.plan(|_| Fate::Refused);
            let told = caller.ask(How::default()).await;
            failed!(
                told,
                RequestError::Stopped {
                    may_have_run: true,
                    ..
                }
            );
        }
    }
    restarting.abort();
    let _ = restarting.await;
    drop(current);
    row.sees("the same in `closed()`; who starts another one then needs no network");
    rig.end_without().await;
    row.end();
}

#[tokio::test]
async fn f36_the_peer_sees_an_end_on_loopback() {
    let mut rig = Rig::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.watch_port(listener.local_addr().unwrap().port());
    let caller = rig.start(lines(), listener.local_addr().unwrap(), |b| b);
    let (mut socket, _) = listener.accept().await.unwrap();
    caller.ready().await;
    let client = caller.client.clone();
    let shutdown = tokio::spawn(async move { client.shutdown(DEADLINE).await });
    let read = within(SLACK, "an end", socket.read(&mut [0])).await;
    assert_eq!(read.expect("no reset"), 0);
    drop((socket, listener));
    let reason = within(SLACK, "it ends", shutdown).await.unwrap();
    assert!(matches!(reason, ExitReason::Normal), "{reason:?}");
    rig.end(caller).await;
}
