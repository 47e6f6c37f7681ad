//! F22 to F24: the peer is slow, stops, or does not read.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::BytesMut;
use futures_core::Stream;
use statem::net::{
    CloseReason, FeedStream, LinkConfig, Lost, NotSent, Notice, RequestError, Unknown,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::codec::Encoder;

use crate::drop::wired;
use crate::half_open::{LIMIT, SILENCE, decided, is_unresponsive};
use crate::redis_server;
use crate::support::caller::{How, Rig, all};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::namespaces::{self, Far};
use crate::support::protocol::pinging;
use crate::support::protocol::{Frame, FrameCodec, Frames, Kind, Manners};
use crate::support::redis::Echo;
use crate::support::redis::signal;
use crate::support::row::{Row, tell};
use crate::support::server::{Conduct, Speaks};
use crate::support::time::{SLACK, millis, now, settle, until, within};

#[tokio::test(start_paused = true)]
async fn f22_slow_but_alive() {
    let mut row = Row::new(
        "F22",
        "slow but alive; a request that may take long",
        "memory",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        delay: LIMIT * 4 / 5,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(pinging(), network.connector(), |b| {
        b.answer_timeout(LIMIT).ping_after(SILENCE)
    });
    let mut calls = Vec::new();
    for _ in 0..200 {
        calls.push(caller.spawn(How::default()));
        sleep(millis(30)).await;
    }
    let told = all(calls).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(caller.counts().downs, 0);
    row.sees("no disconnect");
    rig.end(caller).await;

    // A request that blocks, and others behind it, which wait for it in order.
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        delay: LIMIT * 4,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(pinging(), network.connector(), |b| {
        b.answer_timeout(LIMIT).ping_after(SILENCE)
    });
    let long = caller.spawn(How {
        long: true,
        ..How::default()
    });
    sleep(millis(10)).await;
    let behind = caller.spawn_many(4, How::default());
    let told = all(vec![long]).await;
    assert!(told[0].is_ok(), "{told:?}");
    assert!(behind.iter().all(|call| !call.is_finished()));
    let told = all(behind).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(caller.counts().downs, 0);
    rig.end(caller).await;
    row.sees("a request marked long is waited for");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f22_by_ids_those_behind_a_long_request_are_answered_before_it() {
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let protocol = Frames(Manners::default(), 1..=1_000);
    let caller = rig.start(protocol, network.connector(), |b| b.answer_timeout(LIMIT));
    caller.ready().await;
    let answer = |key| {
        let mut bytes = BytesMut::new();
        let answer = Frame {
            id: key,
            kind: Kind::Run,
            key,
        };
        FrameCodec::new().encode(answer, &mut bytes).unwrap();
        rig.ledger.execute(key);
        wires.lock().unwrap()[0].send(&bytes);
    };
    let long = caller.spawn(How {
        long: true,
        limit: Some(millis(60_000)),
        ..How::default()
    });
    settle().await;
    // The ids and the keys are both from 1.
    for key in 2..20 {
        let behind = caller.spawn(How::default());
        sleep(LIMIT * 4 / 5).await;
        answer(key);
        let told = all(vec![behind]).await;
        assert!(told[0].is_ok(), "{told:?}");
    }
    assert!(!long.is_finished());
    answer(1);
    let told = all(vec![long]).await;
    assert!(told[0].is_ok(), "{told:?}");
    assert_eq!(caller.counts().downs, 0);
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f22_a_long_request_by_ids_hides_no_other() {
    let mut rig = Rig::default();
    let frames = Conduct {
        speaks: Speaks::Frames,
        delay: millis(10),
        ..Conduct::default()
    };
    let server = rig.server(frames);
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let protocol = Frames(Manners::default(), 1..=1_000);
    let caller = rig.start(protocol, network.connector(), |b| b.answer_timeout(LIMIT));
    caller.works().await;
    server.answers(false);
    let long = caller.spawn(How {
        long: true,
        limit: Some(millis(60_000)),
        ..How::default()
    });
    sleep(LIMIT * 6).await;
    assert_eq!(caller.counts().downs, 0, "the long one is waited for");
    let short = caller.spawn(How::default());
    let began = now();
    let told = all(vec![short, long]).await;
    is_unresponsive(&told[0]);
    is_unresponsive(&told[1]);
    assert!(
        began.elapsed() <= LIMIT * 3 / 2 + millis(1),
        "{:?}",
        began.elapsed()
    );
    server.answers(true);
    caller.works().await;
    rig.end(caller).await;
}

#[tokio::test]
async fn f23_the_server_is_stopped_for_three_seconds_and_goes_on() {
    let mut row = Row::new(
        "F23",
        "the server is stopped for 3 s, and goes on",
        "redis, memory",
    );
    let mut rig = Rig::default();
    rig.ledger.server_is_foreign();
    let server = redis_server::Server::start("f23");
    rig.watch_port(
        server
            .address()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    );
    let caller = rig.start(Echo, server.address(), |b| b);
    caller.works().await;
    signal(&server, "-STOP");
    let stopped = now();
    let limit = millis(700);
    let calls = caller.spawn_many(32, How::within(limit));
    let asked = now();
    let told = all(calls).await;
    assert!(
        (limit..limit + SLACK).contains(&asked.elapsed()),
        "{:?}",
        asked.elapsed()
    );
    for told in &told {
        failed!(told, RequestError::Unknown(Unknown::TimedOut));
    }
    sleep(millis(3_000).saturating_sub(stopped.elapsed())).await;
    signal(&server, "-CONT");
    caller.works().await;
    until("the late answers have come", || caller.counts().late == 32).await;
    assert_eq!(caller.counts().connects, 1, "no new connection");
    row.told("in flight, at its limit", told[0].as_ref().unwrap_err());
    row.sees("late answers are dropped and counted; no new connection");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f23_late_answers_one_by_one_in_memory() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(pinging(), network.connector(), |b| b);
    caller.works().await;
    server.answers(false);
    let began = now();
    let calls = (1..=20).map(|nth| caller.spawn(How::within(millis(nth * 100))));
    for (nth, call) in (1..).zip(calls.collect::<Vec<_>>()) {
        failed!(
            call.await.unwrap(),
            RequestError::Unknown(Unknown::TimedOut)
        );
        assert_eq!(began.elapsed(), millis(nth * 100), "each at its own limit");
    }
    sleep(millis(1_000)).await;
    server.answers(true);
    caller.works().await;
    let counts = rig.end(caller).await;
    assert_eq!((counts.late, counts.connects, counts.unknown), (20, 1, 20));
}

#[tokio::test(start_paused = true)]
async fn f24_the_peer_stops_reading() {
    let mut row = Row::new(
        "F24",
        "the peer stops reading",
        "memory, loopback, namespaces",
    );
    let mut rig = Rig::default();
    let (network, far) = unread(&rig);
    rig.watch(&network);
    let high_water = 64 * 1024;
    let deadline = millis(3_000);
    let config = LinkConfig::default()
        .high_water(high_water)
        .write_timeout(deadline);
    let caller = rig.start(pinging(), network.connector(), |b| {
        b.link(config).no_answer_timeout()
    });
    caller.ready().await;
    let mut notices = within(SLACK, "subscribed", caller.client.subscribe(64)).await;
    let began = now();
    let big = How {
        padding: 10_000,
        limit: Some(millis(60_000)),
        ..How::default()
    };
    let calls = caller.spawn_many(100, big);
    settle().await;
    // What is over the high-water mark was not taken: it waits, or fails by its policy.
    let busy = caller
        .ask(How {
            padding: 10_000,
            ..How::fails_fast()
        })
        .await;
    row.told(
        "to fail fast",
        failed!(busy, RequestError::NotSent(NotSent::Busy)),
    );
    let sent = caller.counts().sent;
    assert!(
        sent <= 2 * (high_water as u64 / 10_000) + 2,
        "{sent} of 100 were encoded"
    );
    // Reads go on while writes block.
    let mut far = far.lock().unwrap().take().expect("it was dialled");
    far.write_all(b"!7\n").await.unwrap();
    let pushed = pushed(&mut notices).await;
    assert_eq!(
        (pushed, began.elapsed()),
        (7, Duration::ZERO),
        "read while the write blocks"
    );
    row.sees("what the peer sends is read meanwhile");
    until("the write was given up", || caller.counts().downs == 1).await;
    assert!(
        began.elapsed() <= deadline + millis(2),
        "{:?}",
        began.elapsed()
    );
    network.plan(|_| Fate::Refused);
    drop(far);
    caller.client.kill();
    let told = all(calls).await;
    let Err(RequestError::Unknown(Unknown::Lost(lost))) = &told[0] else {
        panic!("{told:?}")
    };
    assert!(
        matches!(**lost, Lost::Closed(CloseReason::WriteTimeout { .. })),
        "{lost:?}"
    );
    row.told(
        "in flight, at the deadline of writing",
        told[0].as_ref().unwrap_err(),
    );
    rig.end(caller).await;
    row.end();
}

type Far1 = std::sync::Arc<std::sync::Mutex<Option<tokio::io::DuplexStream>>>;

/// A network whose one connection nobody reads; the other end is the test's.
fn unread(rig: &Rig) -> (Network, Far1) {
    let ends = Far1::default();
    let made = ends.clone();
    let network = Network::new(&rig.tasks, move |dialled| {
        if dialled.number > 0 {
            return Fate::Refused;
        }
        let (near, far) = duplex(64 * 1024);
        *made.lock().unwrap() = Some(far);
        Fate::Wired(Box::new(near))
    });
    (network, ends)
}

/// The next item that the peer has pushed.
async fn pushed(notices: &mut FeedStream<Notice<u64>>) -> u64 {
    loop {
        let next = poll_fn(|cx| Pin::new(&mut *notices).poll_next(cx));
        match within(SLACK, "a notice", next).await {
            Some(Notice::Item(key)) => return *key,
            Some(_) => {}
            None => panic!("the client has ended"),
        }
    }
}

#[tokio::test]
async fn f24_the_peer_stops_reading_on_loopback() {
    let mut rig = Rig::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    rig.watch_port(address.port());
    let deadline = millis(500);
    let config = LinkConfig::default().write_timeout(deadline);
    let caller = rig.start(pinging(), address, |b| b.link(config).no_answer_timeout());
    let (mut socket, _) = listener.accept().await.unwrap();
    caller.ready().await;
    let mut notices = caller.client.subscribe(64).await;
    let big = How {
        padding: 100_000,
        limit: Some(millis(60_000)),
        ..How::default()
    };
    let calls = caller.spawn_many(200, big);
    socket.write_all(b"!7\n").await.unwrap();
    assert_eq!(pushed(&mut notices).await, 7);
    until("the write was given up", || caller.counts().downs == 1).await;
    // Twenty megabytes were asked; the kernel's buffers took some of them.
    assert!(caller.counts().sent < 200, "{:?}", caller.counts());
    let mut received = Vec::new();
    let _ = socket.read_to_end(&mut received).await;
    let lines = received.split(|&byte| byte == b'\n').count() - 1;
    tell(
        "F24",
        format!("the kernel held {} bytes, {lines} requests", received.len()),
    );
    drop((listener, socket));
    caller.client.kill();
    let told = all(calls).await;
    let unknown = told
        .iter()
        .filter(|told| told.as_ref().is_err_and(RequestError::may_have_run));
    assert!(unknown.count() >= lines, "what was written may have run");
    rig.end(caller).await;
}

#[test]
fn f24_nothing_is_acknowledged_between_namespaces() {
    let rig = Rig::default();
    let ledger = rig.ledger.clone();
    let ran = namespaces::run(rig.server(Conduct::default()), |far| async move {
        let mut rig = Rig::beside(&ledger);
        rig.watch_port(Far::ADDRESS.port());
        let deadline = millis(500);
        let config = LinkConfig::default().write_timeout(deadline);
        let caller = rig.start(pinging(), Far::ADDRESS, |b| {
            b.link(config).no_answer_timeout()
        });
        caller.works().await;
        far.black_hole_existing().await;
        let big = How {
            padding: 100_000,
            limit: Some(millis(60_000)),
            ..How::default()
        };
        let began = now();
        let calls = caller.spawn_many(200, big);
        until("the write was given up", || caller.counts().downs == 1).await;
        let took = began.elapsed();
        tell(
            "F24",
            format!("between namespaces: given up {took:?} after"),
        );
        assert!((deadline..deadline + SLACK).contains(&took), "{took:?}");
        let told = all(calls).await;
        let lost = told.iter().take_while(|told| told.is_err()).count();
        // What the kernel has taken may have run; the rest was never sent, or went on the next one.
        for told in &told[..lost] {
            let Err(
                RequestError::Unknown(Unknown::Lost(why))
                | RequestError::NotSent(NotSent::Closed(why)),
            ) = told
            else {
                panic!("told {told:?}")
            };
            assert!(
                matches!(**why, Lost::Closed(CloseReason::WriteTimeout { .. })),
                "{why:?}"
            );
        }
        assert!((1..200).contains(&lost), "{lost} of 200 were lost");
        assert!(told[lost..].iter().all(Result::is_ok), "new ones work");
        rig.end(caller).await;
    });
    decided("F24", &ran);
}
