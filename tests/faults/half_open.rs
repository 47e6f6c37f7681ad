//! F20 and F21: the connection is there, and the peer is not.

use std::net::SocketAddr;
use std::time::Duration;

use statem::net::{Lost, RequestError, Unknown};
use tokio::time::sleep;

use crate::support::caller::{Caller, How, Rig, Told, all};
use crate::support::memory::Network;
use crate::support::namespaces::{self, Far};
use crate::support::protocol::Lines;
use crate::support::protocol::pinging;
use crate::support::relay::Relay;
use crate::support::row::{Row, tell};
use crate::support::server::Conduct;
use crate::support::time::{millis, now, until};

/// How long the oldest request may go unanswered.
pub(crate) const LIMIT: Duration = millis(1_000);
/// The longest silence.
pub(crate) const SILENCE: Duration = millis(400);

/// Where existing connections can be made to vanish.
trait Hole {
    fn address(&self) -> SocketAddr;
    async fn black_hole_existing(&self);
}

impl Hole for Relay {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn black_hole_existing(&self) {
        Relay::black_hole_existing(self);
    }
}

impl Hole for Far {
    fn address(&self) -> SocketAddr {
        Far::ADDRESS
    }

    async fn black_hole_existing(&self) {
        Far::black_hole_existing(self).await;
    }
}

/// An idle connection vanishes: how long until there is another one.
async fn idle(rig: &Rig, hole: &impl Hole) -> (Caller<Lines>, Duration) {
    let caller = rig.start(pinging(), hole.address(), |b| {
        b.answer_timeout(LIMIT).ping_after(SILENCE)
    });
    caller.works().await;
    hole.black_hole_existing().await;
    let began = now();
    until("it is up again", || caller.counts().ups == 2).await;
    (caller, began.elapsed())
}

/// A connection with 64 callers vanishes: what those in flight are told, and how long until one is
/// answered again.
async fn busy(rig: &Rig, hole: &impl Hole) -> (Caller<Lines>, Vec<Told>, Duration) {
    let caller = rig.start(pinging(), hole.address(), |b| b.answer_timeout(LIMIT));
    caller.works().await;
    hole.black_hole_existing().await;
    let began = now();
    let mut calls = caller.spawn_many(64, How::default());
    // Writes go on, and what they are does not matter.
    let writing = tokio::spawn({
        let caller = caller.clone();
        async move {
            let mut told = Vec::new();
            while caller.counts().ups < 2 {
                told.push(caller.spawn(How::default()));
                sleep(millis(5)).await;
            }
            told
        }
    });
    calls.push(caller.spawn(How::default()));
    let told = all(calls).await;
    caller.works().await;
    let took = began.elapsed();
    let _ = all(writing.await.unwrap()).await;
    (caller, told, took)
}

#[tokio::test]
async fn f20_an_idle_connection_is_black_holed() {
    let mut row = Row::new(
        "F20",
        "an idle connection is black-holed",
        "memory, loopback, namespaces, simulation",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let (caller, took) = idle(&rig, &relay).await;
    tell(
        "F20",
        format!(
            "through a relay: up again {took:?} after (ping after {SILENCE:?}, limit {LIMIT:?})"
        ),
    );
    // The first delay is over within the limit of the ping.
    assert!(took <= SILENCE + 2 * LIMIT, "{took:?}");
    row.sees("connected again after the longest silence and twice the limit at the latest, with no call made");
    rig.end(caller).await;
    row.end();
}

#[test]
fn f20_an_idle_connection_is_black_holed_between_namespaces() {
    let rig = Rig::default();
    let ledger = rig.ledger.clone();
    let ran = namespaces::run(rig.server(Conduct::default()), |far| async move {
        let rig = Rig::beside(&ledger);
        let (caller, took) = idle(&rig, &far).await;
        tell(
            "F20",
            format!("between namespaces: up again {took:?} after"),
        );
        assert!(took <= SILENCE + 2 * LIMIT, "{took:?}");
        rig.end(caller).await;
    });
    decided("F20", &ran);
}

/// Says which tier decided.
pub(crate) fn decided(row: &str, ran: &Result<(), String>) {
    match ran {
        Ok(()) => tell(row, "decided by namespaces"),
        Err(why) => tell(row, format!("decided by loopback alone: {why}")),
    }
}

#[tokio::test(start_paused = true)]
async fn f20_an_idle_connection_is_black_holed_in_memory() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(pinging(), network.connector(), |b| {
        b.answer_timeout(LIMIT).ping_after(SILENCE)
    });
    caller.works().await;
    // It is asked now and then, and answers.
    sleep(Duration::from_secs(60)).await;
    assert!(
        (100..=400).contains(&server.pings()),
        "{} pings in a minute",
        server.pings()
    );
    assert_eq!(caller.counts().ups, 1);
    // Who is heard of anyway is not asked.
    let pings = server.pings();
    for _ in 0..100 {
        caller.works().await;
        sleep(SILENCE / 4).await;
    }
    assert!(
        server.pings() - pings <= 1,
        "{} pings",
        server.pings() - pings
    );
    network.black_hole_existing();
    let began = now();
    until("it is given up", || caller.counts().downs == 1).await;
    let took = began.elapsed();
    assert!(took <= SILENCE + LIMIT * 3 / 2 + millis(1), "{took:?}");
    rig.end(caller).await;
}

#[tokio::test]
async fn f21_a_busy_connection_is_black_holed() {
    let mut row = Row::new(
        "F21",
        "a busy connection is black-holed, new ones work",
        "memory, loopback, namespaces, simulation",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let (caller, told, took) = busy(&rig, &relay).await;
    tell(
        "F21",
        format!("through a relay: recovered {took:?} after, limit {LIMIT:?}"),
    );
    assert!(took <= 2 * LIMIT, "{took:?}");
    for told in &told {
        is_unresponsive(told);
    }
    row.told("in flight", told[0].as_ref().unwrap_err());
    row.sees("answered again within twice the limit, whatever is written meanwhile");
    assert!(!rig.ledger.was_executed(2), "nothing of it arrived");
    rig.end(caller).await;
    row.end();
}

#[track_caller]
pub(crate) fn is_unresponsive(told: &Told) {
    let Err(RequestError::Unknown(Unknown::Lost(lost))) = told else {
        panic!("{told:?}")
    };
    assert!(
        matches!(**lost, Lost::Unresponsive(limit) if limit == LIMIT),
        "{told:?}"
    );
}

#[test]
fn f21_a_busy_connection_is_black_holed_between_namespaces() {
    let rig = Rig::default();
    let ledger = rig.ledger.clone();
    let ran = namespaces::run(rig.server(Conduct::default()), |far| async move {
        let rig = Rig::beside(&ledger);
        let (caller, told, took) = busy(&rig, &far).await;
        tell(
            "F21",
            format!("between namespaces: recovered {took:?} after, limit {LIMIT:?}"),
        );
        assert!(took <= 2 * LIMIT, "{took:?}");
        told.iter().for_each(is_unresponsive);
        rig.end(caller).await;
    });
    decided("F21", &ran);
}

#[tokio::test(start_paused = true)]
async fn f21_a_busy_connection_is_black_holed_in_memory() {
    for after in (0..1_000).step_by(50) {
        let mut rig = Rig::default();
        let network = Network::to(&rig.server(Conduct::default()), &rig.tasks);
        rig.watch(&network);
        let caller = rig.start(pinging(), network.connector(), |b| b.answer_timeout(LIMIT));
        caller.works().await;
        // The watch runs already, from an earlier request or from one that is answered meanwhile.
        let earlier = now();
        while earlier.elapsed() < millis(after) {
            caller.works().await;
            sleep(millis(7)).await;
        }
        network.black_hole_existing();
        let began = now();
        let calls = caller.spawn_many(64, How::default());
        let mut later = Vec::new();
        while caller.counts().downs == 0 {
            later.push(caller.spawn(How::default()));
            sleep(millis(5)).await;
            assert!(began.elapsed() <= 2 * LIMIT, "not noticed at {after}");
        }
        let told = all(calls).await;
        let took = began.elapsed();
        assert!(
            (LIMIT..=LIMIT * 3 / 2 + millis(6)).contains(&took),
            "{took:?} at {after}"
        );
        told.iter().for_each(is_unresponsive);
        // Those of the last moment were made when it was down, and wait for the next connection.
        drop(all(later).await);
        rig.end(caller).await;
    }
}
