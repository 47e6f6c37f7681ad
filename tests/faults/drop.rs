//! F09 to F15: a connection that worked breaks.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statem::net::{CloseReason, Lost, NotSent, RequestError, Unknown};
use statem::testing::{Wire, wire};
use tokio::time::sleep;

use crate::redis_server;
use crate::support::caller::{CAP, How, Rig, Told, all};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::protocol::lines;
use crate::support::redis::Echo;
use crate::support::redis::signal;
use crate::support::relay::{Fault, Relay};
use crate::support::row::{Row, tell};
use crate::support::server::Conduct;
use crate::support::time::{SLACK, millis, now, settle, until, within};

/// Each connection is a wire of the test's; those that were made, in their order.
pub(crate) fn wired(rig: &Rig) -> (Network, Arc<Mutex<Vec<Wire>>>) {
    let wires = Arc::<Mutex<Vec<Wire>>>::default();
    let made = wires.clone();
    let network = Network::new(&rig.tasks, move |_| {
        let (near, far) = wire();
        made.lock().unwrap().push(far);
        Fate::Wired(Box::new(near))
    });
    (network, wires)
}

/// How a call fails whose request was on a connection that is gone.
fn why(told: &Told) -> &Lost {
    match told {
        Err(
            RequestError::Unknown(Unknown::Lost(lost))
            | RequestError::NotSent(NotSent::Closed(lost))
            | RequestError::Protocol(lost),
        ) => lost,
        other => panic!("told {other:?}"),
    }
}

/// The callers of requests in flight are told this soon: within 50 ms of what the computer needs for
/// anything.
async fn all_at_once(row: &str, how: &str, calls: Vec<tokio::task::JoinHandle<Told>>) -> Vec<Told> {
    let began = now();
    let control = tokio::spawn(async move {
        sleep(millis(1)).await;
        began.elapsed()
    });
    let count = calls.len();
    let told = all(calls).await;
    let (took, control) = (began.elapsed(), control.await.unwrap());
    tell(
        row,
        format!("{count} callers in flight told within {took:?} of {how}"),
    );
    assert!(
        took <= control + millis(50),
        "{took:?}, and a control task {control:?}"
    );
    told
}

#[tokio::test]
async fn f09_the_server_is_killed() {
    let mut row = Row::new(
        "F09",
        "the server is killed with 64 requests in flight",
        "redis, loopback",
    );
    let mut rig = Rig::default();
    rig.ledger.server_is_foreign();
    let mut server = redis_server::Server::start("f09");
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
    // It hangs before it dies, so that all are in flight and it has not read them: a reset.
    signal(&server, "-STOP");
    let calls = caller.spawn_many(64, How::default());
    until("all were sent", || caller.counts().sent == 65).await;
    settle().await;
    let mut process = server.process.take().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let told = all_at_once("F09", "SIGKILL", calls).await;
    for told in &told {
        failed!(told, RequestError::Unknown(Unknown::Lost(_)));
    }
    server.launch();
    caller.works().await;
    row.told("in flight, at once", told[0].as_ref().unwrap_err());
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f09_the_server_is_killed_having_read_all_or_not() {
    for resets in [true, false] {
        let mut rig = Rig::default();
        let server = rig.server(Conduct::default());
        let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
        rig.watch_port(relay.address.port());
        let caller = rig.start(lines(), relay.address, |b| b);
        caller.works().await;
        server.answers(false);
        let calls = caller.spawn_many(64, How::default());
        until("all were executed", || rig.ledger.executed() == 65).await;
        if resets {
            relay.reset();
        } else {
            server.end_connections();
        }
        let how = if resets { "a reset" } else { "an end" };
        let told = all_at_once("F09", how, calls).await;
        for told in &told {
            failed!(told, RequestError::Unknown(Unknown::Lost(_)));
            let is_end = matches!(why(told), Lost::Closed(CloseReason::End));
            assert_eq!(is_end, !resets, "{told:?}");
        }
        server.answers(true);
        caller.works().await;
        rig.end(caller).await;
    }
}

#[tokio::test]
async fn f10_it_ends_in_the_middle_of_an_answer() {
    let mut row = Row::new("F10", "it ends in the middle of an answer", "loopback");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let caller = rig.start(lines(), relay.address, |b| b);
    caller.ready().await;
    // `=1\n=2\n` and one byte of the third.
    server.answers(false);
    let calls = caller.spawn_many(4, How::default());
    until("all were executed", || rig.ledger.executed() == 4).await;
    relay.fault(Fault::Truncate(7));
    server.answers(true);
    let told = all(calls).await;
    assert!(matches!(told[..2], [Ok(1), Ok(2)]), "{told:?}");
    for told in &told[2..] {
        assert!(
            matches!(why(told), Lost::Closed(CloseReason::Cut { received: 1 })),
            "{told:?}"
        );
    }
    row.sees("answers that were complete arrive");
    row.told("the others", failed!(told[2], RequestError::Unknown(_)));
    relay.fault(Fault::None);
    caller.works().await;
    row.sees("the next connection begins with its own first byte");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f11_it_breaks_in_the_middle_of_a_write() {
    let mut row = Row::new("F11", "it breaks in the middle of a write", "wire");
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let caller = rig.start(lines(), network.connector(), |b| b);
    caller.ready().await;
    // Three requests of two bytes: the transport accepts three bytes, so one byte of the second.
    wires.lock().unwrap()[0].accept(3);
    let calls = caller.spawn_many(3, How::default());
    settle().await;
    {
        let wires = wires.lock().unwrap();
        assert_eq!(wires[0].take_written(), b"1\n2");
        wires[0].fail(io::ErrorKind::ConnectionReset);
    }
    let told = all(calls).await;
    failed!(told[0], RequestError::Unknown(Unknown::Lost(_)));
    row.told(
        "of which a byte was sent",
        failed!(told[1], RequestError::Unknown(Unknown::Lost(_))),
    );
    row.told(
        "the rest",
        failed!(told[2], RequestError::NotSent(NotSent::Closed(_))),
    );
    caller.ready().await;
    settle().await;
    let next = caller.spawn(How::default());
    settle().await;
    {
        let wires = wires.lock().unwrap();
        assert_eq!(
            wires[1].take_written(),
            b"4\n",
            "nothing of the old connection"
        );
        rig.ledger.execute(4);
        wires[1].send("=4\n");
    }
    assert_eq!(next.await.unwrap().unwrap(), 4);
    assert_eq!(caller.counts().sent, 3, "one was not");
    rig.end(caller).await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f12_a_write_fails_before_the_end_is_read_and_the_reverse() {
    let mut row = Row::new(
        "F12",
        "a write fails before the end is read, and the reverse",
        "wire",
    );
    for write_first in [true, false] {
        let rig = Rig::default();
        let (network, wires) = wired(&rig);
        let caller = rig.start(lines(), network.connector(), |b| b);
        let mut notices = within(CAP, "subscribed", caller.client.subscribe(8)).await;
        caller.ready().await;
        let first = caller.spawn(How::default());
        settle().await;
        // A request waits to be written.
        wires.lock().unwrap()[0].accept(0);
        let second = caller.spawn(How::default());
        settle().await;
        if write_first {
            // An answer waits to be read when that fails.
            rig.ledger.execute(1);
            let wires = wires.lock().unwrap();
            wires[0].send("=1\n");
            wires[0].fail(io::ErrorKind::BrokenPipe);
        } else {
            // The peer closes its side first.
            wires.lock().unwrap()[0].end();
            settle().await;
            wires.lock().unwrap()[0].fail(io::ErrorKind::BrokenPipe);
        }
        let told = all(vec![first, second]).await;
        assert_eq!(told[0].is_ok(), write_first, "{told:?}");
        failed!(told[1], RequestError::NotSent(NotSent::Closed(_)));
        caller.ready().await;
        let counts = caller.counts();
        assert_eq!(
            (counts.ups, counts.downs, counts.connects),
            (2, 1, 2),
            "one of each"
        );
        let downs = drain(&mut notices);
        assert_eq!(downs, 1, "a subscriber is told once");
        if !write_first {
            row.told(
                "in flight",
                failed!(told[0], RequestError::Unknown(Unknown::Lost(_))),
            );
        }
        rig.end(caller).await;
    }
    row.sees("one `Down`, one back-off, one new connection");
    row.end();
}

/// How many of the notices that wait are `Down`.
fn drain<T>(notices: &mut statem::net::FeedStream<statem::net::Notice<T>>) -> usize {
    let mut downs = 0;
    let next = |notices: &mut statem::net::FeedStream<_>| {
        let polled = std::pin::Pin::new(notices);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        futures_core::Stream::poll_next(polled, &mut context)
    };
    while let std::task::Poll::Ready(Some(notice)) = next(notices) {
        downs += usize::from(matches!(notice, statem::net::Notice::Down(_)));
    }
    downs
}

#[tokio::test(start_paused = true)]
async fn f13_the_last_answers_and_the_end_come_in_one_segment() {
    let mut row = Row::new(
        "F13",
        "the last answers and the end come together",
        "wire, loopback",
    );
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let caller = rig.start(lines(), network.connector(), |b| b);
    caller.ready().await;
    let calls = caller.spawn_many(3, How::default());
    settle().await;
    {
        let wires = wires.lock().unwrap();
        assert_eq!(wires[0].take_written(), b"1\n2\n3\n");
        (1..=3).for_each(|key| rig.ledger.execute(key));
        wires[0].send("=1\n=2\n");
        wires[0].end();
    }
    let told = all(calls).await;
    assert!(matches!(told[..2], [Ok(1), Ok(2)]), "{told:?}");
    row.sees("they are `Ok`");
    row.told(
        "the rest",
        failed!(told[2], RequestError::Unknown(Unknown::Lost(_))),
    );
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f13_the_last_answers_and_the_end_on_loopback() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let caller = rig.start(lines(), relay.address, |b| b);
    caller.ready().await;
    server.answers(false);
    let calls = caller.spawn_many(3, How::default());
    until("all were executed", || rig.ledger.executed() == 3).await;
    relay.fault(Fault::Truncate(6));
    server.answers(true);
    let told = all(calls).await;
    assert!(matches!(told[..2], [Ok(1), Ok(2)]), "{told:?}");
    assert!(
        matches!(why(&told[2]), Lost::Closed(CloseReason::End)),
        "{told:?}"
    );
    relay.fault(Fault::None);
    caller.works().await;
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f14_something_late_of_an_old_connection_comes_when_the_next_is_up() {
    let mut row = Row::new("F14", "something late of an old connection comes", "wire");
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let limit = millis(1_000);
    let caller = rig.start(lines(), network.connector(), |b| b.answer_timeout(limit));
    caller.ready().await;
    let old = caller.spawn(How::within(Duration::from_secs(60)));
    // It is given up with an answer, an end and an error to come.
    let told = old.await.unwrap();
    failed!(told, RequestError::Unknown(Unknown::Lost(_)));
    caller.ready().await;
    let new = caller.spawn(How::default());
    settle().await;
    {
        let wires = wires.lock().unwrap();
        assert!(wires[0].is_closed(), "the old one is closed");
        wires[0].send("=1\n");
        wires[0].end();
        wires[0].fail(io::ErrorKind::ConnectionReset);
    }
    settle().await;
    // The old one's watch would fire here; the new one's is half over.
    sleep(limit * 3 / 4).await;
    assert!(
        !new.is_finished() && caller.is("Connected"),
        "{:?}",
        caller.client.status()
    );
    rig.ledger.execute(2);
    wires.lock().unwrap()[1].send("=2\n");
    assert_eq!(new.await.unwrap().unwrap(), 2, "its own answer");
    let counts = caller.counts();
    assert_eq!((counts.ups, counts.downs, counts.stray), (2, 1, 0));
    row.sees("nothing: the new connection's calls get its answers");
    rig.end(caller).await;
    row.end();
}

#[tokio::test]
async fn f15_the_server_restarts() {
    let mut rig = Rig::default();
    rig.ledger.server_is_foreign();
    let mut server = redis_server::Server::start("f15");
    rig.watch_port(
        server
            .address()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    );
    let caller = rig.start(Echo, server.address(), |b| b.min_uptime(millis(50)));
    for outage in [millis(300), millis(3_000)] {
        caller.works().await;
        until("it is a good connection", || caller.is("Connected")).await;
        let before = caller.counts();
        let mut process = server.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        until("the loss is seen", || {
            caller.counts().downs == before.downs + 1
        })
        .await;
        let waiting = caller.spawn_many(16, How::within(Duration::from_secs(30)));
        sleep(outage).await;
        let up = server.launch();
        let told = all(waiting).await;
        let took = now().saturating_duration_since(up);
        tell(
            "F15",
            format!("restarted after {outage:?}: recovered after {took:?}"),
        );
        assert!(
            told.iter().all(Result::is_ok),
            "those who wait see nothing: {told:?}"
        );
        assert!(took <= CAP + SLACK, "{took:?}");
        let attempts = caller.counts().connects - before.connects;
        assert!(
            attempts <= 3 * (outage + CAP).as_secs() + 8,
            "{attempts} attempts in {outage:?}"
        );
    }
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f15_the_server_restarts_in_memory() {
    let mut row = Row::new(
        "F15",
        "the server restarts after 0.3, 3 and 15 s",
        "memory, redis",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b.min_uptime(millis(50)));
    for outage in [millis(300), millis(3_000), millis(15_000)] {
        caller.works().await;
        sleep(millis(60)).await;
        server.answers(false);
        let in_flight = caller.spawn(How::default());
        settle().await;
        network.plan(|_| Fate::Refused);
        network.reset();
        let before = network.attempts();
        let told = in_flight.await.unwrap();
        failed!(told, RequestError::Unknown(Unknown::Lost(_)));
        let waiting = caller.spawn_many(16, How::within(Duration::from_secs(30)));
        sleep(outage).await;
        let there = server.clone();
        network.plan(move |_| Fate::Reaches(there.clone()));
        server.answers(true);
        let up = now();
        let all = all(waiting).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert!(up.elapsed() <= CAP, "{:?}", up.elapsed());
        let attempts = network.attempts() - before;
        assert!(
            attempts as u64 <= 3 * (outage + CAP).as_secs() + 8,
            "{attempts} in {outage:?}"
        );
        if outage == millis(300) {
            row.told("in flight", failed!(told, RequestError::Unknown(_)));
        }
    }
    row.sees("calls that wait are answered at most the longest delay after it is back");
    rig.end(caller).await;
    row.end();
}
