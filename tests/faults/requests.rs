//! F25 to F30: requests that are given up, doubled, mixed up.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use statem::net::{ClientBuilder, CloseReason, Lost, NotSent, RequestError, Unknown};
use tokio::time::{sleep, timeout};
use tokio_util::codec::Decoder;

use crate::drop::wired;
use crate::support::caller::{How, Rig, Speaks as Speaker, all};
use crate::support::failed;
use crate::support::ledger::{Ledger, Outcome};
use crate::support::memory::{Fate, Network};
use crate::support::protocol::{FrameCodec, Kind, frame, frames, lines};
use crate::support::relay::{Fault, Relay};
use crate::support::row::{Row, tell};
use crate::support::server::{Conduct, Speaks};
use crate::support::time::{millis, settle, until};

fn in_frames() -> Conduct {
    Conduct {
        speaks: Speaks::Frames,
        ..Conduct::default()
    }
}

#[tokio::test(start_paused = true)]
async fn f25_the_caller_goes_before_the_write() {
    let mut row = Row::new(
        "F25",
        "the caller goes before its request is written",
        "memory",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b);
    until("it is disconnected", || caller.is("Disconnected")).await;
    let going = caller.spawn_many(20, How::default());
    let staying = caller.spawn_many(20, How::default());
    settle().await;
    for call in going {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    network.plan(move |_| Fate::Reaches(server.clone()));
    let told = all(staying).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(
        rig.ledger.order(),
        (21..=40).collect::<Vec<_>>(),
        "the others, in order"
    );
    // With a connection: the request is in the mailbox when its caller goes.
    for _ in 0..20 {
        let mut call = Box::pin(caller.ask(How::default()));
        assert!(futures_poll(&mut call).is_pending());
        drop(call);
    }
    caller.works().await;
    assert_eq!(rig.ledger.executed_of(Outcome::GivenUp), 0);
    row.sees("its request is never sent");
    rig.end(caller).await;
    row.end();
}

/// Polls once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context)
}

/// Callers that go at random while answers are 3 ms late; whoever stays must get his own.
async fn going_at_random<P: Speaker>(protocol: P, conduct: Conduct, seed: u64) -> u64 {
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        delay: millis(3),
        ..conduct
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    // A window that is often full.
    let caller = rig.start(protocol, network.connector(), |b| b.window(16).seed(seed));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut calls = Vec::new();
    for _ in 0..400 {
        let call = caller.ask(How::default());
        let patience = if random.u8(..4) == 0 {
            10_000_000
        } else {
            random.u64(..12_000)
        };
        calls.push(tokio::spawn(async move {
            // A runtime's clock has milliseconds.
            let _ = timeout(Duration::from_micros(patience), call).await;
        }));
        if random.bool() {
            sleep(millis(random.u64(..4))).await;
        }
    }
    for call in calls {
        call.await.unwrap();
    }
    caller.works().await;
    let counts = rig.end(caller).await;
    assert_eq!(
        (counts.connects, counts.stray),
        (1, 0),
        "seed {seed}: {counts:?}"
    );
    counts.late
}

#[tokio::test(start_paused = true)]
async fn f26_the_caller_goes_after_the_write() {
    let mut row = Row::new(
        "F26",
        "callers go while their answers are on the way",
        "memory, simulation",
    );
    let mut late = 0;
    for seed in 0..40 {
        late += going_at_random(lines(), Conduct::default(), seed).await;
        late += going_at_random(frames(5), in_frames(), seed).await;
    }
    tell(
        "F26",
        format!("80 seeds of 400 callers: {late} late answers, none to another caller"),
    );
    assert!(late > 1_000, "some went in between: {late}");
    row.sees("the answer is dropped and counted as late; nobody else gets it; no new connection");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f27_two_thousand_calls_are_given_up_while_it_is_down() {
    let mut row = Row::new(
        "F27",
        "2,000 calls are given up while there is no connection",
        "memory, loopback",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b.queue(4_096));
    let calls = caller.spawn_many(2_000, How::within(millis(50)));
    let told = all(calls).await;
    for told in &told {
        failed!(told, RequestError::NotSent(NotSent::TimedOut));
    }
    row.told("each, at its limit", told[0].as_ref().unwrap_err());
    network.plan(move |_| Fate::Reaches(server.clone()));
    caller.works().await;
    let executed = rig.ledger.executed() - 1;
    tell(
        "F27",
        format!("executed of 2,000 that were given up: {executed}"),
    );
    assert_eq!(executed, 0);
    row.sees("executed afterwards: 0");
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f27_two_thousand_calls_are_given_up_on_loopback() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    relay.fault(Fault::Flap);
    let caller = rig.start(lines(), relay.address, |b| b);
    let mut told = Vec::new();
    for _ in 0..20 {
        told.extend(all(caller.spawn_many(100, How::within(millis(50)))).await);
    }
    relay.fault(Fault::None);
    caller.works().await;
    // While a connection was up for a moment some were sent, and none of those was executed either:
    // the relay has passed nothing.
    assert!(told.iter().all(Result::is_err));
    assert_eq!(rig.ledger.executed(), 1, "the last one");
    rig.end(caller).await;
}

#[tokio::test]
async fn f28_executed_unacknowledged_reset() {
    let mut row = Row::new("F28", "executed, not acknowledged, reset", "loopback, wire");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    relay.keep_requests();
    let caller = rig.start(lines(), relay.address, |b| b.seed(3));
    let mut workers = Vec::new();
    for _ in 0..64 {
        let caller = caller.clone();
        workers.push(tokio::spawn(async move {
            let mut told = None;
            for _ in 0..30 {
                let result = caller.ask(How::default()).await;
                let lost = match &result {
                    Err(
                        RequestError::Unknown(Unknown::Lost(lost))
                        | RequestError::NotSent(NotSent::Closed(lost)),
                    ) => lost.clone(),
                    Ok(_) => continue,
                    other => panic!("told {other:?}"),
                };
                // The relay resets, so nobody is told of an end.
                let is_end = matches!(&*lost, Lost::Closed(CloseReason::End));
                assert!(!is_end, "{result:?}");
                if matches!(result, Err(RequestError::Unknown(_))) {
                    told = Some(result);
                }
            }
            told
        }));
    }
    // What it holds: requests that have come and were not passed on.
    let held = || {
        let (read, passed) = relay.keys();
        &read - &passed
    };
    let mut resets = 0;
    while workers.iter().any(|worker| !worker.is_finished()) {
        // A reset that finds nothing on its way is none of the fault.
        let found = rig.ledger.executed_of(Outcome::Unknown) > 0 && !held().is_empty();
        if resets < 6 || !found {
            caller.ready().await;
            let (executed, holds) = (rig.ledger.executed(), held().len());
            // In turn: answers are lost with the connection, and requests.
            let (fault, is_answers) = match resets % 2 {
                0 => (Fault::Hold, true),
                _ => (Fault::HoldRequests, false),
            };
            relay.fault(fault);
            for _ in 0..50 {
                let found = if is_answers {
                    rig.ledger.executed() > executed
                } else {
                    held().len() > holds
                };
                if found {
                    break;
                }
                sleep(millis(1)).await;
            }
            relay.reset();
            relay.fault(Fault::None);
            resets += 1;
        }
        sleep(millis(1)).await;
    }
    let mut text = None;
    for worker in workers {
        text = worker.await.unwrap().or(text);
    }
    counted_by_keys(&rig.ledger, &relay, resets);
    failed!(text.expect("some failed"), RequestError::Unknown(_));
    row.sees("in flight: “the request may have run: ..”, with what the system says");
    row.sees("executed twice: 0; not sent, yet on its way or executed: 0; what may have run and has not was lost on its way");
    rig.end(caller).await;
    row.end();
}

/// Where each request was that may have run, and what became of it.
fn counted_by_keys(ledger: &Ledger, relay: &Relay, resets: usize) {
    let (ok, unknown) = (ledger.keys(Outcome::Ok), ledger.keys(Outcome::Unknown));
    let not_sent = ledger.keys(Outcome::NotSent);
    let executed: BTreeSet<_> = ledger.order().into_iter().collect();
    let (read, passed) = relay.keys();
    let held = &read - &passed;
    // Passed on, and the server was reset before it read them.
    let unread: BTreeSet<_> = &passed - &executed;
    tell(
        "F28",
        format!(
            "{resets} resets: executed {}, ok {}, Unknown {} (of these executed {}, held by the relay {}, \
             by the kernel behind it {}), NotSent {} (executed {}), executed twice {}",
            executed.len(),
            ok.len(),
            unknown.len(),
            (&unknown & &executed).len(),
            held.len(),
            unread.len(),
            not_sent.len(),
            (&not_sent & &executed).len(),
            ledger.twice()
        ),
    );
    assert_eq!(executed, &ok | &(&unknown & &executed), "Ok or Unknown");
    assert_eq!((ledger.twice(), &not_sent & &read), (0, BTreeSet::new()));
    // Whoever is told that it may have run is told so because it had left, and it did not run because
    // it was lost on its way: with the relay, or with the kernel behind it. Before the relay nothing
    // is lost: it has read all that has come when it resets.
    let before = &unknown - &read;
    assert!(before.is_empty(), "no byte of {before:?} has left");
    assert_eq!(
        &unknown - &executed,
        &held | &unread,
        "neither more nor less"
    );
    assert!(!held.is_empty(), "requests were lost with the relay");
    assert!(!(&unknown & &executed).is_empty(), "and answers");
}

#[tokio::test(start_paused = true)]
async fn f28_every_split_of_the_bytes() {
    // Three requests of two bytes, of which the transport accepts any number.
    for accepted in 0..=6 {
        let rig = Rig::default();
        let (network, wires) = wired(&rig);
        let caller = rig.start(lines(), network.connector(), |b| b);
        caller.ready().await;
        wires.lock().unwrap()[0].accept(accepted);
        let calls = caller.spawn_many(3, How::default());
        settle().await;
        {
            let wires = wires.lock().unwrap();
            let written = wires[0].take_written();
            assert_eq!(written.len(), accepted);
            for line in written.split_inclusive(|&byte| byte == b'\n') {
                if let [key, b'\n'] = line {
                    rig.ledger.execute(u64::from(key - b'0'));
                }
            }
            wires[0].fail(std::io::ErrorKind::ConnectionReset);
        }
        let told = all(calls).await;
        let handed = accepted.div_ceil(2);
        for told in &told[..handed] {
            failed!(told, RequestError::Unknown(Unknown::Lost(_)));
        }
        for told in &told[handed..] {
            failed!(told, RequestError::NotSent(NotSent::Closed(_)));
        }
        assert_eq!(caller.counts().sent, handed as u64, "exactly");
        rig.end(caller).await;
    }
}

#[tokio::test(start_paused = true)]
async fn f28_what_may_run_twice_is_sent_again() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b);
    caller.works().await;
    server.answers(false);
    let again = caller.spawn_many(
        8,
        How {
            again: true,
            ..How::default()
        },
    );
    let once = caller.spawn_many(8, How::default());
    until("all were executed", || rig.ledger.executed() == 17).await;
    network.reset();
    server.answers(true);
    let (again, once) = (all(again).await, all(once).await);
    assert!(again.iter().all(Result::is_ok), "{again:?}");
    assert!(once.iter().all(Result::is_err), "{once:?}");
    assert_eq!(rig.ledger.twice(), 8, "those alone");
    let counts = rig.end(caller).await;
    assert_eq!(counts.replayed, 8);
}

#[tokio::test(start_paused = true)]
async fn f29_a_late_answer_to_an_id_that_was_given_up() {
    let mut row = Row::new("F29", "a late answer, of four ids", "memory");
    let mut rig = Rig::default();
    let server = rig.server(in_frames());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(
        frames(4),
        network.connector(),
        ClientBuilder::no_answer_timeout,
    );
    caller.works().await;
    server.answers(false);
    let given_up = caller.spawn_many(2, How::within(millis(50)));
    let patient = caller.spawn_many(2, How::within(Duration::from_secs(60)));
    for told in all(given_up).await {
        failed!(told, RequestError::Unknown(Unknown::TimedOut));
    }
    // Both ids are still taken: nobody else may have them.
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "all ids taken, to fail fast",
        failed!(told, RequestError::NotSent(NotSent::Busy)),
    );
    let waiting = caller.spawn_many(8, How::default());
    settle().await;
    assert_eq!(rig.ledger.executed(), 5, "four at a time");
    server.answers(true);
    let told = all(waiting).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert!(all(patient).await.iter().all(Result::is_ok));
    assert_eq!((caller.counts().late, caller.counts().stray), (2, 0));
    // The end of the connection frees them too.
    server.answers(false);
    let given_up = caller.spawn_many(4, How::within(millis(50)));
    assert!(all(given_up).await.iter().all(Result::is_err));
    failed!(
        caller.ask(How::fails_fast()).await,
        RequestError::NotSent(NotSent::Busy)
    );
    network.reset();
    server.answers(true);
    caller.works().await;
    row.sees("an id is used again when its late answer has come, or with the next connection");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f29_an_id_in_quarantine_is_passed_over() {
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let caller = rig.start(
        frames(4),
        network.connector(),
        ClientBuilder::no_answer_timeout,
    );
    caller.ready().await;
    // What was sent since it was asked last: ids and keys.
    let sent = || {
        let mut bytes = BytesMut::from(&wires.lock().unwrap()[0].take_written()[..]);
        let mut codec = FrameCodec::new();
        let frames = std::iter::from_fn(|| codec.decode(&mut bytes).unwrap());
        frames
            .map(|frame| (frame.id, frame.key))
            .collect::<Vec<_>>()
    };
    let answer = |id, key| {
        rig.ledger.execute(key);
        wires.lock().unwrap()[0].send(frame(id, Kind::Run, key, 0));
    };
    let given_up = caller.spawn(How::within(millis(50)));
    let calls = caller.spawn_many(3, How::default());
    failed!(
        given_up.await.unwrap(),
        RequestError::Unknown(Unknown::TimedOut)
    );
    assert_eq!(sent(), [(1, 1), (2, 2), (3, 3), (4, 4)]);
    (2..=4).for_each(|id| answer(id, id));
    assert!(all(calls).await.iter().all(Result::is_ok));
    // Three are free; the first id is not, whatever the order of the others.
    let calls = caller.spawn_many(3, How::default());
    settle().await;
    let mut ids = sent();
    assert!(ids.iter().all(|(id, _)| *id != 1), "{ids:?}");
    failed!(
        caller.ask(How::fails_fast()).await,
        RequestError::NotSent(NotSent::Busy)
    );
    // The late answer comes: it is nobody's, and frees the id.
    answer(1, 1);
    let last = caller.spawn(How::default());
    settle().await;
    let freed = sent();
    assert!(matches!(freed[..], [(1, _)]), "{freed:?}");
    ids.extend(freed);
    for (id, key) in ids {
        answer(id, key);
    }
    assert!(all(calls).await.iter().all(Result::is_ok));
    assert!(last.await.unwrap().is_ok());
    assert_eq!((caller.counts().late, caller.counts().stray), (1, 0));
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f30_garbage_and_answers_that_nobody_asked_for() {
    let mut row = Row::new(
        "F30",
        "garbage; an answer that nobody asked for",
        "wire, loopback",
    );
    // What comes, with how many in flight, and whether those are told that the protocol was broken.
    for (sent, calls) in [
        ("what?\n", 2),
        ("=7\n", 0),
        ("=1\n=2\n=9\n", 2),
        ("+hello\n", 1),
    ] {
        let rig = Rig::default();
        let (network, wires) = wired(&rig);
        let caller = rig.start(lines(), network.connector(), |b| b);
        caller.ready().await;
        let calls = caller.spawn_many(calls, How::default());
        settle().await;
        (1..=calls.len() as u64).for_each(|key| rig.ledger.execute(key));
        wires.lock().unwrap()[0].send(sent);
        let told = all(calls).await;
        until("it is given up", || caller.counts().downs == 1).await;
        if sent.starts_with('=') {
            assert!(told.iter().all(Result::is_ok), "{told:?}");
            assert_eq!(caller.counts().stray, 1);
        } else {
            for told in &told {
                failed!(told, RequestError::Protocol(_));
            }
        }
        if sent == "what?\n" {
            row.told("in flight", told[0].as_ref().unwrap_err());
        }
        caller.ready().await;
        rig.end(caller).await;
    }
    row.sees("a new connection is made, after a delay");
    row.end();
}

#[tokio::test]
async fn f30_garbage_on_loopback() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let caller = rig.start(lines(), relay.address, |b| b);
    caller.works().await;
    relay.fault(Fault::Corrupt);
    server.answers(false);
    let calls = caller.spawn_many(32, How::default());
    until("all were executed", || rig.ledger.executed() == 33).await;
    server.answers(true);
    for told in all(calls).await {
        failed!(told, RequestError::Protocol(_));
    }
    relay.fault(Fault::None);
    caller.works().await;
    let counts = rig.end(caller).await;
    assert_eq!(counts.protocol, 32);
}
