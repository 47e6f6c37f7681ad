//! F38 and F40 to F43: the peer moves, a connection is replaced, the clock jumps.

use std::net::SocketAddr;
use std::time::Duration;

use statem::ExitReason;
use statem::net::{Connector, Prefer};
use tokio::time::sleep;

use crate::support::caller::{How, Rig, all};
use crate::support::memory::{Fate, Names, Network};
use crate::support::protocol::{Frames, Lines, Manners};
use crate::support::protocol::{greeting, lines};
use crate::support::row::Row;
use crate::support::server::{Conduct, Speaks};
use crate::support::time::{millis, now, settle, until, within};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn f38_the_peer_announces_that_it_ends_the_connection() {
    let mut row = Row::new(
        "F38",
        "the peer announces the end of the connection",
        "memory",
    );
    let mut rig = Rig::default();
    let frames = Conduct {
        speaks: Speaks::Frames,
        ..Conduct::default()
    };
    let (old, new) = (rig.server(frames), rig.server(frames));
    let (first, second) = (old.clone(), new.clone());
    let network = Network::new(&rig.tasks, move |dialled| {
        Fate::Reaches(if dialled.number == 0 {
            first.clone()
        } else {
            second.clone()
        })
    });
    rig.watch(&network);
    let protocol = Frames(
        Manners {
            greets: true,
            ..Manners::default()
        },
        1..=100,
    );
    let uptime = millis(100);
    let caller = rig.start(protocol, network.connector(), |b| b.min_uptime(uptime));
    caller.works().await;
    sleep(uptime * 2).await;
    old.answers(false);
    let in_flight = caller.spawn_many(8, How::default());
    settle().await;
    old.announce_drain();
    until("there is another one", || caller.counts().ups == 2).await;
    assert_eq!(network.open(), 2, "the old one is still there");
    let told = all(caller.spawn_many(8, How::default())).await;
    assert!(
        told.iter().all(Result::is_ok),
        "new calls go to the new one: {told:?}"
    );
    assert_eq!((old.accepted(), new.accepted()), (1, 1));
    old.answers(true);
    assert!(
        all(in_flight).await.iter().all(Result::is_ok),
        "the old one is answered on"
    );
    until("the old one is closed", || network.open() == 1).await;
    caller.works().await;
    let counts = rig.end(caller).await;
    assert_eq!((counts.unknown, counts.not_sent), (0, 0), "no call fails");
    row.sees("nothing: new calls go to a new connection, those in flight end on the old one");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f38_the_old_connection_ends_first() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        speaks: Speaks::Frames,
        ..Conduct::default()
    });
    let there = server.clone();
    let network = Network::new(&rig.tasks, move |dialled| match dialled.number {
        // Another one cannot be made for a while, and nothing may be sent on the old one.
        1..4 => Fate::Refused,
        _ => Fate::Reaches(there.clone()),
    });
    rig.watch(&network);
    let protocol = Frames(Manners::default(), 1..=100);
    let caller = rig.start(protocol, network.connector(), |b| b);
    caller.works().await;
    server.answers(false);
    let in_flight = caller.spawn_many(4, How::default());
    settle().await;
    server.announce_drain();
    until("it is noticed", || !caller.is("Connected")).await;
    let waiting = caller.spawn_many(4, How::default());
    settle().await;
    assert_eq!(rig.ledger.executed(), 5, "none is sent on the old one");
    server.end_connections();
    for told in all(in_flight).await {
        assert!(told.is_err_and(|error| error.may_have_run()));
    }
    server.answers(true);
    assert!(all(waiting).await.iter().all(Result::is_ok));
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f40_reconnected_by_hand_in_each_state() {
    let mut row = Row::new("F40", "`reconnect_now` in each state", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let long = Duration::from_secs(600);
    let backoff = statem::Backoff::default().first(long).cap(long);
    let caller = rig.start(greeting(), network.connector(), |b| {
        b.backoff(backoff).seed(2)
    });
    caller.until_in("Disconnected").await;
    // While the back-off runs: at once.
    network.plan(|_| Fate::Hangs);
    let began = now();
    caller.client.reconnect_now().await;
    caller.until_in("Connecting").await;
    assert!(began.elapsed() <= millis(1));
    assert_eq!(network.attempts(), 2);
    // While it connects: nothing.
    for _ in 0..3 {
        caller.client.reconnect_now().await;
    }
    settle().await;
    assert_eq!((network.attempts(), caller.is("Connecting")), (2, true));
    // In the handshake: nothing.
    let there = server.clone();
    network.plan(move |_| Fate::Reaches(there.clone()));
    server.answers(false);
    until("the attempt is over", || caller.is("Disconnected")).await;
    caller.client.reconnect_now().await;
    caller.until_in("Handshaking").await;
    caller.client.reconnect_now().await;
    settle().await;
    assert_eq!((network.attempts(), caller.is("Handshaking")), (3, true));
    server.answers(true);
    caller.works().await;
    // Connected: replaced, and asked twice it is replaced once.
    server.answers(false);
    let in_flight = caller.spawn_many(4, How::default());
    settle().await;
    caller.client.reconnect_now().await;
    caller.client.reconnect_now().await;
    settle().await;
    assert_eq!(network.attempts(), 4, "once");
    server.answers(true);
    assert!(
        all(in_flight).await.iter().all(Result::is_ok),
        "answered on the old one"
    );
    until("there is another one", || caller.counts().ups == 2).await;
    caller.works().await;
    until("the old one is closed", || network.open() == 1).await;
    let counts = caller.counts();
    assert_eq!((counts.unknown, counts.not_sent, counts.ups), (0, 0, 2));
    // While it is shut down, and when it has ended: nothing.
    server.answers(false);
    let in_flight = caller.spawn_many(4, How::default());
    settle().await;
    let client = caller.client.clone();
    let ended = tokio::spawn(async move { client.shutdown(long).await });
    caller.until_in("Draining").await;
    for _ in 0..2 {
        within(
            millis(1),
            "it says so at once",
            caller.client.reconnect_now(),
        )
        .await;
    }
    settle().await;
    assert_eq!((network.attempts(), caller.is("Draining")), (4, true));
    server.answers(true);
    assert!(all(in_flight).await.iter().all(Result::is_ok));
    assert!(matches!(ended.await, Ok(ExitReason::Normal)));
    within(
        millis(1),
        "it says so at once",
        caller.client.reconnect_now(),
    )
    .await;
    assert_eq!(network.attempts(), 4);
    row.sees("in the back-off: at once; while it connects or greets, and when it is shut down: nothing; connected: replaced, and no call fails");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f41_one_endpoint_is_dead_and_comes_back() {
    let mut row = Row::new(
        "F41",
        "the first of two endpoints is dead, and comes back",
        "memory",
    );
    let (a, b) = (address("10.0.0.1:4000"), address("10.0.0.2:4000"));
    for prefer in [Prefer::First, Prefer::Working] {
        let mut rig = Rig::default();
        let (on_a, on_b) = (
            rig.server(Conduct::default()),
            rig.server(Conduct::default()),
        );
        let b_serves = on_b.clone();
        let network = Network::new(&rig.tasks, move |dialled| {
            if dialled.address == a {
                Fate::Refused
            } else {
                Fate::Reaches(b_serves.clone())
            }
        });
        rig.watch(&network);
        let penalty = Duration::from_secs(5);
        let connector = Connector::new(a)
            .or(b)
            .prefer(prefer)
            .penalty(penalty)
            .dialler(network.clone());
        let began = now();
        let caller = rig.start(lines(), connector, |builder| builder.min_uptime(millis(10)));
        caller.works().await;
        assert!(
            began.elapsed() <= millis(250),
            "one attempt delay: {:?}",
            began.elapsed()
        );
        assert_eq!(on_b.accepted(), 1);
        // A works again, and B loses its connections: before the penalty is over, and after.
        let (a_serves, b_serves) = (on_a.clone(), on_b.clone());
        network.plan(move |dialled| {
            Fate::Reaches(if dialled.address == a {
                a_serves.clone()
            } else {
                b_serves.clone()
            })
        });
        sleep(millis(20)).await;
        network.reset();
        caller.works().await;
        assert_eq!(
            (on_a.accepted(), on_b.accepted()),
            (0, 2),
            "A has its penalty"
        );
        sleep(penalty).await;
        network.reset();
        caller.works().await;
        let expected = if prefer == Prefer::First {
            (1, 2)
        } else {
            (0, 3)
        };
        assert_eq!((on_a.accepted(), on_b.accepted()), expected, "{prefer:?}");
        rig.end(caller).await;
    }
    row.sees("connected to the second within 250 ms; back to the first, when its penalty is over, at the next connect, or not, by `Prefer`");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f42_the_name_moves_while_the_old_socket_lives() {
    let mut row = Row::new(
        "F42",
        "the name moves to another address, and the old socket lives on",
        "memory",
    );
    let (a, b) = (address("10.0.0.1:4000"), address("10.0.0.2:4000"));
    let mut rig = Rig::default();
    let (on_a, on_b) = (
        rig.server(Conduct::default()),
        rig.server(Conduct::default()),
    );
    let (a_serves, b_serves) = (on_a.clone(), on_b.clone());
    let network = Network::new(&rig.tasks, move |dialled| {
        Fate::Reaches(if dialled.address == a {
            a_serves.clone()
        } else {
            b_serves.clone()
        })
    });
    rig.watch(&network);
    let names = Names::default();
    names.are(&[a]);
    let connector = Connector::new("db.example:4000")
        .resolver(names.clone())
        .dialler(network.clone());
    let lifetime = Duration::from_secs(100);
    let caller = rig.start(lines(), connector, |builder| builder.max_lifetime(lifetime));
    let began = now();
    caller.works().await;
    names.are(&[b]);
    // Calls all the time, of which none fails.
    while on_b.accepted() == 0 {
        caller.works().await;
        sleep(millis(100)).await;
        assert!(
            began.elapsed() <= lifetime * 11 / 10,
            "{:?}",
            began.elapsed()
        );
    }
    assert!(
        began.elapsed() >= lifetime * 9 / 10,
        "{:?}",
        began.elapsed()
    );
    until("the old one is closed", || network.open() == 1).await;
    caller.works().await;
    assert_eq!((on_a.accepted(), on_b.accepted()), (1, 1));
    let counts = rig.end(caller).await;
    assert_eq!((counts.unknown, counts.not_sent), (0, 0), "no call fails");
    row.sees("connected to the new address when the old connection has its greatest age, or at the next connect; no call fails");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f43_the_clock_jumps_by_an_hour() {
    let mut row = Row::new("F43", "the clock jumps by an hour", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let protocol = Lines(Manners {
        pings: true,
        ..Manners::default()
    });
    let caller = rig.start(protocol, network.connector(), |b| {
        b.ping_after(millis(1_000))
            .max_lifetime(Duration::from_secs(600))
    });
    caller.works().await;
    sleep(millis(10_050)).await;
    let pings = server.pings();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    until("it is replaced", || caller.counts().ups == 2).await;
    settle().await;
    let burst = server.pings() - pings;
    assert!(burst <= 2, "{burst} pings at once");
    assert_eq!(network.attempts(), 2, "one new connection");
    caller.works().await;
    sleep(millis(5_000)).await;
    assert_eq!(network.attempts(), 2);
    // While there is none: one attempt, not one for each delay.
    network.plan(|_| Fate::Refused);
    network.reset();
    until("it is disconnected", || caller.is("Disconnected")).await;
    let before = network.attempts();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    settle().await;
    assert_eq!(network.attempts(), before + 1, "one attempt");
    row.sees("each timer fires once: one new connection, one attempt");
    rig.end(caller).await;
    row.end();
}
