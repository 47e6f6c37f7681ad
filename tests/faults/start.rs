//! F01 to F08: nobody is there yet, or whoever is there does not behave.

use std::net::SocketAddr;
use std::time::Duration;

use statem::net::{ClientBuilder, Connector, Lost, NotSent, RequestError, SystemDialler};
use statem::{ExitReason, Status};

use crate::support::caller::{CAP, FIRST, How, Rig, all};
use crate::support::failed;
use crate::support::memory::{Fate, Names, Network, PLACE};
use crate::support::protocol::{greeting, lines};
use crate::support::relay::{HangingPort, RefusingPort};
use crate::support::row::Row;
use crate::support::server::{Conduct, Greeting};
use crate::support::time::{SLACK, millis, now, settle, until, within};

#[tokio::test(start_paused = true)]
async fn f01_nobody_listens() {
    let mut row = Row::new("F01", "nobody listens", "memory, loopback");
    let mut rig = Rig::default();
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let began = now();
    let caller = rig.start(lines(), network.connector(), |b| b);
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "it starts without a network"
    );
    let patient = caller.spawn(How::within(millis(3_000)));
    until("an attempt has failed", || caller.is("Disconnected")).await;
    let asked = now();
    let told = caller.ask(How::fails_fast()).await;
    assert_eq!(asked.elapsed(), Duration::ZERO, "it is told at once");
    row.told(
        "to fail fast, at once",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    let told = patient.await.unwrap();
    assert_eq!(
        began.elapsed(),
        millis(3_000),
        "its limit runs without a connection"
    );
    row.told(
        "to wait, at its limit",
        failed!(told, RequestError::NotSent(NotSent::TimedOut)),
    );
    assert!(!matches!(
        caller.client.status(),
        Status::Running("Connected")
    ));
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f01_nobody_listens_on_loopback() {
    let mut rig = Rig::default();
    let port = RefusingPort::new();
    rig.watch_port(port.address.port());
    let caller = rig.start(lines(), port.address, |b| b);
    until("an attempt has failed", || caller.is("Disconnected")).await;
    let asked = now();
    let told = caller.ask(How::fails_fast()).await;
    failed!(told, RequestError::NotSent(NotSent::Disconnected(_)));
    assert!(
        asked.elapsed() < millis(50) + SLACK,
        "{:?}",
        asked.elapsed()
    );
    let asked = now();
    let told = caller.ask(How::within(millis(200))).await;
    failed!(told, RequestError::NotSent(NotSent::TimedOut));
    assert!((millis(200)..millis(200) + SLACK).contains(&asked.elapsed()));
    drop(port);
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f02_the_server_appears_after_three_seconds() {
    let mut row = Row::new("F02", "the server appears after 3 s", "memory, loopback");
    let mut rig = Rig::default();
    let (began, server) = (now(), rig.server(Conduct::default()));
    let there = server.clone();
    let network = Network::new(&rig.tasks, move |dialled| {
        if dialled.at - began < millis(3_000) {
            Fate::Refused
        } else {
            Fate::Reaches(there.clone())
        }
    });
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b);
    let waiting = caller.spawn_many(20, How::default());
    caller.ready().await;
    let took = began.elapsed();
    assert!(
        (millis(3_000)..=millis(3_000) + CAP).contains(&took),
        "{took:?}"
    );
    let told = all(waiting).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(rig.ledger.order(), (1..=20).collect::<Vec<_>>(), "in order");
    assert_eq!(
        (network.open(), server.accepted()),
        (1, 1),
        "one connection"
    );
    row.sees("calls that wait are answered, in order, at most the longest delay after it appears");
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f02_the_server_appears_on_loopback() {
    let mut rig = Rig::default();
    let (port, server) = (RefusingPort::new(), rig.server(Conduct::default()));
    rig.watch_port(port.address.port());
    let caller = rig.start(lines(), port.address, |b| b);
    let waiting = caller.spawn_many(20, How::default());
    until("three attempts have failed", || {
        caller.counts().connects_failed >= 3
    })
    .await;
    server.accept_from(port.listen(), &rig.tasks);
    let appeared = now();
    let told = all(waiting).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert!(
        appeared.elapsed() <= CAP + SLACK,
        "{:?}",
        appeared.elapsed()
    );
    assert_eq!(rig.ledger.order(), (1..=20).collect::<Vec<_>>());
    assert_eq!(server.accepted(), 1);
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f03_the_name_does_not_resolve_and_later_does() {
    let mut row = Row::new("F03", "the name does not resolve, and later does", "memory");
    let mut rig = Rig::default();
    let (names, server) = (Names::default(), rig.server(Conduct::default()));
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let connector = Connector::new("db.example:4000")
        .resolver(names.clone())
        .resolve_timeout(millis(2_000))
        .dialler(network.clone());
    let caller = rig.start(lines(), connector, |b| b);
    let waiting = caller.spawn(How::within(millis(30_000)));
    until("five attempts have failed", || {
        caller.counts().connects_failed == 5
    })
    .await;
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "to fail fast",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    // The answer does not come: this attempt ends by its own limit, and the client still answers.
    names.hang(true);
    until("a question hangs", || names.asked() == 6).await;
    let asked = now();
    failed!(
        caller.ask(How::fails_fast()).await,
        RequestError::NotSent(_)
    );
    assert_eq!(asked.elapsed(), Duration::ZERO);
    until("the question was given up", || {
        caller.counts().connects_failed == 6
    })
    .await;
    let took = asked.elapsed();
    assert!((millis(1_900)..=millis(2_001)).contains(&took), "{took:?}");
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "while it hangs",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    names.are(&[PLACE.parse().unwrap()]);
    assert!(waiting.await.unwrap().is_ok());
    let counts = rig.end(caller).await;
    assert_eq!(
        names.asked() as u64,
        counts.connects,
        "asked once an attempt"
    );
    row.sees("a call that waits is answered once it resolves");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f04_the_first_of_two_addresses_is_a_black_hole() {
    let mut row = Row::new(
        "F04",
        "the first of two addresses is a black hole",
        "memory, loopback",
    );
    let mut rig = Rig::default();
    let addresses: [SocketAddr; 2] = [
        "10.0.0.1:4000".parse().unwrap(),
        "10.0.0.2:4000".parse().unwrap(),
    ];
    let (names, server) = (Names::default(), rig.server(Conduct::default()));
    names.are(&addresses);
    let there = server.clone();
    let network = Network::new(&rig.tasks, move |dialled| {
        if dialled.address == addresses[0] {
            Fate::Hangs
        } else {
            Fate::Reaches(there.clone())
        }
    });
    rig.watch(&network);
    let connector = Connector::new("db.example:4000")
        .resolver(names)
        .dialler(network.clone());
    let began = now();
    let caller = rig.start(lines(), connector, |b| b);
    caller.works().await;
    assert_eq!(
        began.elapsed(),
        millis(250),
        "after the stagger, not after the connect timeout"
    );
    assert_eq!(caller.counts().connects, 1, "in one attempt");
    row.sees("connected to the second after 250 ms");
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f04_the_first_of_two_addresses_hangs_on_loopback() {
    let mut rig = Rig::default();
    let (hanging, server) = (HangingPort::new().await, rig.server(Conduct::default()));
    let works = server.listen(&rig.tasks).await;
    rig.watch_port(works.port());
    let names = Names::default();
    names.are(&[hanging.address, works]);
    let connector = Connector::new("db.example:4000").resolver(names);
    let began = now();
    let caller = rig.start(lines(), connector, |b| b);
    caller.works().await;
    assert!((millis(250)..millis(250) + SLACK).contains(&began.elapsed()));
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f05_connecting_hangs() {
    let mut row = Row::new("F05", "connecting hangs", "memory, loopback");
    let mut rig = Rig::default();
    let network = Network::new(&rig.tasks, |_| Fate::Hangs);
    rig.watch(&network);
    let connector = network.connector().connect_timeout(millis(2_000));
    let began = now();
    let caller = rig.start(lines(), connector, |b| b);
    until("it dials", || network.attempts() == 1).await;
    let asked = now();
    let told = caller.ask(How::fails_fast()).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    row.told(
        "meanwhile, at once",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    until("the attempt has ended", || {
        caller.counts().connects_failed == 1
    })
    .await;
    let took = began.elapsed();
    assert!((millis(2_000)..=millis(2_001)).contains(&took), "{took:?}");
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "then",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    until("it dials again", || network.attempts() == 2).await;
    let stopped = now();
    caller.client.stop().await;
    assert_eq!(stopped.elapsed(), Duration::ZERO, "it stops at once");
    row.sees("stops at once");
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f05_connecting_hangs_on_loopback() {
    let mut rig = Rig::default();
    let hanging = HangingPort::new().await;
    let connector = Connector::new(hanging.address)
        .dialler(SystemDialler::default())
        .connect_timeout(millis(1_000));
    let began = now();
    let caller = rig.start(lines(), connector, |b| b);
    until("it is connecting", || caller.counts().connects == 1).await;
    let told = caller.ask(How::fails_fast()).await;
    failed!(told, RequestError::NotSent(NotSent::Disconnected(_)));
    assert_eq!(caller.counts().connects_failed, 0, "told while it connects");
    until("the attempt has ended", || {
        caller.counts().connects_failed == 1
    })
    .await;
    assert!((millis(1_000)..millis(1_000) + SLACK).contains(&began.elapsed()));
    until("it connects again", || caller.counts().connects == 2).await;
    let stopped = now();
    caller.client.stop().await;
    assert!(stopped.elapsed() < SLACK, "{:?}", stopped.elapsed());
    rig.watch_port(hanging.address.port());
    drop(hanging);
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f06_it_accepts_and_is_silent_in_the_handshake() {
    let mut row = Row::new("F06", "accepts, and is silent in the handshake", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        greeting: Greeting::Silent,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(greeting(), network.connector(), |b| {
        b.handshake_timeout(CAP)
    });
    until("it is greeting", || caller.is("Handshaking")).await;
    let asked = now();
    let told = caller.ask(How::fails_fast()).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    failed!(told, RequestError::NotSent(NotSent::Disconnected(_)));
    until("the handshake was given up", || caller.is("Disconnected")).await;
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "to fail fast",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    until("it was tried ten times", || network.attempts() == 10).await;
    let dialled = network.dialled();
    let delays: Vec<_> = dialled
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at - CAP)
        .collect();
    // What was connected does not reset the back-off: from the first limit no delay is longer.
    assert!(delays.iter().any(|delay| *delay > 4 * FIRST), "{delays:?}");
    assert_eq!(network.open(), 1, "those that were given up are closed");
    row.sees("tried again ever later, as if it had refused");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f07_the_handshake_is_refused_for_ever() {
    let mut row = Row::new("F07", "the handshake is refused (password)", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        greeting: Greeting::Refuses,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let began = now();
    let caller = rig.start(greeting(), network.connector(), |b| b);
    until("it was refused", || caller.is("Disconnected")).await;
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "to fail fast",
        failed!(told, RequestError::NotSent(NotSent::Disconnected(_))),
    );
    tokio::time::sleep(60 * CAP).await;
    let most = 1 + began.elapsed().as_millis() / CAP.as_millis();
    assert!(
        network.attempts() as u128 <= most,
        "{} in {most} delays",
        network.attempts()
    );
    assert!(
        network.attempts() >= 20,
        "it does go on: {}",
        network.attempts()
    );
    let stopping = rig.start(
        greeting(),
        network.connector(),
        ClientBuilder::stop_when_refused,
    );
    let reason = within(CAP, "it stops", stopping.client.closed()).await;
    let ExitReason::Other(error) = &reason else {
        panic!("{reason:?}")
    };
    let lost = error
        .downcast_ref::<std::sync::Arc<Lost>>()
        .map(|lost| &**lost);
    let lost = lost.or_else(|| error.downcast_ref::<Lost>());
    assert!(matches!(lost, Some(Lost::Refused(_))), "{error:?}");
    let told = stopping.ask(How::default()).await;
    row.told(
        "of a client that stops when refused",
        failed!(
            told,
            RequestError::Stopped {
                may_have_run: false,
                ..
            }
        ),
    );
    row.sees("no attempt sooner than the longest delay");
    drop(stopping);
    settle().await;
    rig.end(caller).await;
    row.end();
}
