//! Every public future of a client is dropped after its k-th poll, for every k, wherever the client
//! is: nothing is lost, and nothing doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use statem::Status;
use statem::net::{ClientCounts, NotSent, Policy, RequestError, Unknown};
use tokio::time::{sleep, timeout};

use super::greeting;
use crate::dropped::dropped_after;
use crate::support::caller::{Caller, How, Rig, Speaks as Speaker, Told, all};
use crate::support::memory::{Fate, Network};
use crate::support::protocol::{Frames, Lines, Manners};
use crate::support::row::tell;
use crate::support::server::{Conduct, Server, Speaks};
use crate::support::time::{millis, settle, within};

/// Where a client is when a future is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    NotConnected,
    Greeting,
    Idle,
    /// What is sent is not answered for a while.
    Unanswered,
    /// As many are in flight as may be.
    Full,
    /// The connection is about to break, with what is in flight on it.
    Breaking,
    /// The connection is to be replaced, since the peer drains it where the protocol can say so, and
    /// there is no other one for a while.
    Replacing,
    /// The client is about to end, and not all is answered.
    Draining,
}

const PLACES: [Where; 8] = [
    Where::NotConnected,
    Where::Greeting,
    Where::Idle,
    Where::Unanswered,
    Where::Full,
    Where::Breaking,
    Where::Replacing,
    Where::Draining,
];

/// The public futures of a client.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Call(How),
    Ready,
    Subscribe,
    Reconnect,
    Inspect,
    Changed,
    Closed,
    Shutdown,
    Stop,
}

fn wishes() -> Vec<Wish> {
    let kinds = [
        How::default(),
        How {
            again: true,
            ..How::default()
        },
        How {
            long: true,
            ..How::default()
        },
    ];
    let policies = [
        Policy::Wait,
        Policy::FailFast,
        Policy::DropNewest(3),
        Policy::DropOldest(3),
    ];
    let mut calls = vec![How::within(millis(3))];
    for policy in policies {
        calls.extend(kinds.map(|how| How {
            policy: Some(policy),
            ..how
        }));
    }
    let others = [
        Wish::Ready,
        Wish::Subscribe,
        Wish::Reconnect,
        Wish::Inspect,
        Wish::Changed,
        Wish::Closed,
        Wish::Shutdown,
        Wish::Stop,
    ];
    calls.into_iter().map(Wish::Call).chain(others).collect()
}

/// A protocol that is swept.
struct Swept<P> {
    protocol: fn() -> P,
    speaks: Speaks,
    /// How many requests may be in flight.
    window: usize,
    /// Whether the peer says that it drains. Such a connection is used no more; one that is replaced
    /// by the client's own choice is used until there is another one.
    drains: bool,
}

fn manners() -> Manners {
    Manners {
        pings: true,
        ..greeting()
    }
}

#[tokio::test(start_paused = true)]
async fn n51_n84_every_future_of_a_client_in_order_may_be_dropped_after_any_poll() {
    let lines = Swept {
        protocol: || Lines(manners()),
        speaks: Speaks::Lines,
        window: 4,
        drains: false,
    };
    every_future(&lines, "in order").await;
}

/// There are so few ids that one whose caller has gone is wanted by the next.
#[tokio::test(start_paused = true)]
async fn n51_n84_every_future_of_a_client_by_ids_may_be_dropped_after_any_poll() {
    let frames = Swept {
        protocol: || Frames(manners(), 1..=3),
        speaks: Speaks::Frames,
        window: 3,
        drains: true,
    };
    every_future(&frames, "by ids").await;
}

/// More polls than any of these futures needs.
const MOST: usize = 60;

async fn every_future<P: Speaker>(swept: &Swept<P>, how: &str) {
    let (mut dropped, mut late, mut replayed) = (0, 0, 0);
    for place in PLACES {
        for wish in wishes() {
            // A watch whose state does not change again is never ready.
            let stays = matches!(place, Where::Idle | Where::Unanswered | Where::Full);
            let never = stays && matches!(wish, Wish::Changed);
            for polls in 0..=if never { 15 } else { MOST } {
                let (was_ready, counts) = run(swept, polls, wish, place).await;
                late += counts.late;
                replayed += counts.replayed;
                if was_ready {
                    break;
                }
                dropped += 1;
                assert!(
                    polls < MOST,
                    "{wish:?} in {place:?} is not ready after {MOST} polls"
                );
            }
        }
    }
    // Else nothing was given up in flight, and nothing beside what is sent again.
    assert!(late > 0 && replayed > 0, "{late} {replayed}");
    tell(
        "sweeps",
        format!(
            "{dropped} futures of clients {how} dropped after every poll, {late} answers came too late: \
             nothing lost, nothing doubled"
        ),
    );
}

/// One run in which a future is dropped after so many polls; whether it was ready before, and what was
/// counted.
async fn run<P: Speaker>(
    swept: &Swept<P>,
    polls: usize,
    wish: Wish,
    place: Where,
) -> (bool, ClientCounts) {
    let what = format!("{wish:?} in {place:?} after {polls} polls");
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        speaks: swept.speaks,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = bring(swept, place, &rig, &server, &network).await;
    // Others, before and after: but for these places, where what is sent would wait for them.
    let alone = matches!(place, Where::Unanswered | Where::Breaking);
    let before = caller.spawn_many(if alone { 0 } else { 6 }, How::default());
    settle().await;
    let draining = (place == Where::Draining).then(|| {
        let client = caller.client.clone();
        tokio::spawn(async move { client.shutdown(millis(2_000)).await })
    });
    settle().await;
    assert_eq!(caller.is("Draining"), draining.is_some(), "{what}");
    // What the future waits for comes in between.
    let opened = Arc::<AtomicBool>::default();
    let opening = open(place, server.clone(), network.clone(), opened.clone());
    let opening = tokio::spawn(opening);
    let key = rig.ledger.last() + 1;
    let was_ready = wished(polls, wish, &caller).await;
    let given_up_first = !was_ready && !opened.load(Ordering::Relaxed);
    let after = caller.spawn_many(6, How::default());
    // One like it: what was given up is not in its way.
    let like = match wish {
        Wish::Call(how) => vec![caller.spawn(how)],
        _ => Vec::new(),
    };
    opening.await.unwrap();
    let (before, after) = (all(before).await, all(after).await);
    drop(all(like).await);
    if let Wish::Call(how) = wish {
        let most = match polls {
            0 => 0,
            _ if given_up_first && swept.waits_in(place) => 0,
            _ if was_ready && how.again && place == Where::Breaking => 2,
            _ => 1,
        };
        let times = rig.ledger.times(key);
        assert!(times <= most, "it was executed {times} times: {what}");
    }
    let stops = polls > 0 && matches!(wish, Wish::Stop);
    let ends = stops || (polls > 0 && matches!(wish, Wish::Shutdown));
    if let Some(draining) = draining {
        within(millis(5_000), &what, draining).await.unwrap();
        // What was sent is answered, what waited is told.
        let (sent, waited) = before.split_at(swept.window);
        let told = |told: &Told| matches!(told, Err(RequestError::NotSent(NotSent::Stopping)));
        let all_told = ok(sent) == sent.len() && waited.iter().all(told);
        assert!(stops || all_told, "{what}: {before:?}");
    } else if ends {
        within(millis(5_000), &what, caller.client.closed()).await;
    } else {
        for told in before.iter().chain(&after) {
            let broken = matches!(told, Err(RequestError::Unknown(Unknown::Lost(_))));
            let breaks = place == Where::Breaking && broken;
            assert!(told.is_ok() || breaks, "{what}: {told:?}");
        }
        works_as_before(swept, &rig, &server, &caller, &what).await;
    }
    // What was sent on another connection need not be executed after what was sent before.
    let replaces = matches!(place, Where::Replacing | Where::Breaking);
    let order = rig.ledger.order();
    let in_order = replaces || matches!(wish, Wish::Reconnect) || order.is_sorted();
    assert!(in_order, "in order, {what}: {order:?}");
    assert!(
        rig.ledger.twice() == 0 || place == Where::Breaking,
        "{what}"
    );
    (was_ready, rig.end(caller).await)
}

impl<P> Swept<P> {
    /// Whether what is asked for in a place is not sent before the place is left.
    fn waits_in(&self, place: Where) -> bool {
        match place {
            Where::NotConnected | Where::Greeting | Where::Full | Where::Draining => true,
            Where::Replacing => self.drains,
            Where::Idle | Where::Unanswered | Where::Breaking => false,
        }
    }
}

fn ok(told: &[Told]) -> usize {
    told.iter().filter(|told| told.is_ok()).count()
}

/// A client in a place.
async fn bring<P: Speaker>(
    swept: &Swept<P>,
    place: Where,
    rig: &Rig,
    server: &Server,
    network: &Network,
) -> Caller<P> {
    if place == Where::NotConnected {
        network.plan(|_| Fate::Hangs);
    }
    let connector = network.connector().connect_timeout(millis(20));
    let caller = rig.start((swept.protocol)(), connector, |b| b.window(4));
    match place {
        Where::NotConnected => caller.until_in("Connecting").await,
        Where::Greeting => {
            server.answers(false);
            caller.until_in("Handshaking").await;
        }
        Where::Idle => caller.works().await,
        Where::Unanswered | Where::Full | Where::Breaking | Where::Draining => {
            caller.works().await;
            server.answers(false);
        }
        Where::Replacing => {
            caller.works().await;
            server.answers(false);
            network.plan(|_| Fate::Hangs);
            if swept.drains {
                server.announce_drain();
            } else {
                caller.client.reconnect_now().await;
            }
            settle().await;
            assert!(!caller.is("Connected"));
        }
    }
    caller
}

/// What the futures wait for, a while later.
async fn open(place: Where, server: Server, network: Network, opened: Arc<AtomicBool>) {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    sleep(millis(5)).await;
    opened.store(true, Ordering::Relaxed);
    if place == Where::Breaking {
        network.reset();
    }
    let serving = server.clone();
    network.plan(move |_| Fate::Reaches(serving.clone()));
    server.answers(true);
}

async fn wished<P: Speaker>(polls: usize, wish: Wish, caller: &Caller<P>) -> bool {
    let client = &caller.client;
    let limit = millis(2_000);
    match wish {
        Wish::Call(how) => dropped_after(polls, caller.ask(how)).await.is_some(),
        Wish::Ready => dropped_after(polls, client.ready()).await.is_some(),
        Wish::Subscribe => dropped_after(polls, client.subscribe(4)).await.is_some(),
        Wish::Reconnect => dropped_after(polls, client.reconnect_now()).await.is_some(),
        Wish::Inspect => dropped_after(polls, client.inspect()).await.is_some(),
        Wish::Changed => {
            let mut watch = client.watch();
            dropped_after(polls, watch.changed()).await.is_some()
        }
        Wish::Closed => {
            let closed = timeout(millis(10), client.closed());
            dropped_after(polls, closed).await.is_some()
        }
        Wish::Shutdown => dropped_after(polls, client.shutdown(limit)).await.is_some(),
        Wish::Stop => dropped_after(polls, client.stop()).await.is_some(),
    }
}

/// A client of which something was given up is as one of which nothing was: it has room for as many
/// requests, and nothing in it but its one connection.
async fn works_as_before<P: Speaker>(
    swept: &Swept<P>,
    rig: &Rig,
    server: &Server,
    caller: &Caller<P>,
    what: &str,
) {
    assert!(
        matches!(caller.client.status(), Status::Running(_)),
        "{what}"
    );
    caller.works().await;
    server.answers(false);
    let executed = rig.ledger.executed();
    let calls = caller.spawn_many(swept.window, How::default());
    settle().await;
    assert_eq!(
        rig.ledger.executed() - executed,
        swept.window,
        "there is not all of the room again: {what}"
    );
    server.answers(true);
    assert_eq!(ok(&all(calls).await), swept.window, "{what}");
    let alone = async {
        loop {
            let seen = caller.client.inspect().await.expect("it runs");
            if seen.state == "Connected" && seen.sources.len() == 1 {
                return seen.waiting;
            }
            sleep(millis(1)).await;
        }
    };
    let waiting = within(millis(5_000), format!("one connection: {what}"), alone).await;
    assert_eq!((waiting.postponed, waiting.senders), (0, 0), "{what}");
}
