//! Subscribers of a client: what they are told is told once and in order, whatever they drop.

use std::time::Duration;

use statem::net::{FeedStream, Notice};
use tokio::time::sleep;

use super::{greeting, waiting};
use crate::dropped::dropped_after;
use crate::support::caller::{Caller, Rig, Speaks as Speaker};
use crate::support::memory::Network;
use crate::support::protocol::{Frames, Lines};
use crate::support::row::tell;
use crate::support::server::{Conduct, Server, Speaks};
use crate::support::time::{millis, settle, until, within};

/// Which futures of a subscriber are dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Drops {
    /// That of the notice with this number, from 0.
    One(u64),
    All,
}

/// What is pushed on each of two connections.
const PUSHES: u64 = 6;
/// `Up`, the pushes, and `Down`, of each of them.
const NOTICES: u64 = 2 * (PUSHES + 2);

/// Pushes at once, one step later, and a while later; breaks the connection, and goes on with the next.
async fn push<P: Speaker>(server: Server, network: Network, caller: Caller<P>) {
    for connection in 1..=2 {
        until("it is connected", || caller.counts().ups == connection).await;
        for key in 1..=PUSHES {
            server.push(10 * connection + key);
            match key % 3 {
                0 => sleep(millis(2)).await,
                1 => tokio::task::yield_now().await,
                _ => {}
            }
        }
        settle().await;
        network.reset();
        until("its end is seen", || caller.counts().downs == connection).await;
    }
}

/// Every notice that a subscriber reads who drops futures after so many polls, and whether the last
/// one that was to be dropped was ready before.
async fn reads<P: Speaker>(
    protocol: P,
    speaks: Speaks,
    bound: usize,
    (drops, polls): (Drops, usize),
) -> (Vec<String>, bool) {
    let mut rig = Rig::default();
    let server = rig.server(Conduct {
        speaks,
        ..Conduct::default()
    });
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(protocol, network.connector(), |b| b);
    let mut notices = within(millis(1), "subscribed", caller.client.subscribe(bound)).await;
    let pushing = tokio::spawn(push(server, network, caller.clone()));
    let mut read = Vec::new();
    let mut was_ready = false;
    loop {
        let count = counted(&read);
        if count >= NOTICES {
            break;
        }
        let one = drops == Drops::One(read.len() as u64);
        if one || drops == Drops::All {
            let notice = dropped_after(polls, notices.next()).await.flatten();
            was_ready = notice.is_some();
            read.extend(notice);
            if was_ready {
                continue;
            }
            sleep(millis(1)).await;
        }
        if drops != Drops::All {
            read.extend(within(millis(5_000), "a notice", notices.next()).await);
        }
    }
    pushing.await.unwrap();
    assert_eq!(counted(&read), NOTICES, "{read:?}");
    caller.client.stop().await;
    ends(&mut notices, polls).await;
    rig.end(caller).await;
    (read.iter().map(short).collect(), was_ready)
}

/// How many notices these stand for.
fn counted(read: &[Notice<u64>]) -> u64 {
    let counts = read.iter().map(|notice| match notice {
        Notice::Missed(count) => *count,
        _ => 1,
    });
    counts.sum()
}

fn short(notice: &Notice<u64>) -> String {
    match notice {
        Notice::Down(_) => "Down".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The stream has ended, also where nobody saw that.
async fn ends(notices: &mut FeedStream<Notice<u64>>, polls: usize) {
    drop(dropped_after(polls, notices.next()).await);
    let end = within(millis(1), "the end", notices.next()).await;
    assert!(end.is_none(), "{end:?}");
}

async fn every_poll<P: Speaker>(protocol: fn() -> P, speaks: Speaks) -> usize {
    let expected: Vec<_> = (1..=2)
        .flat_map(|connection| {
            let items = (1..=PUSHES).map(move |key| format!("Item({})", 10 * connection + key));
            std::iter::once("Up".to_owned())
                .chain(items)
                .chain(["Down".to_owned()])
        })
        .collect();
    let mut dropped = 0;
    let every = (0..NOTICES).map(Drops::One).chain([Drops::All]);
    for (drops, bound) in every.flat_map(|drops| [(drops, 32), (drops, 2)]) {
        // Whoever drops them all unpolled reads nothing.
        let begin = usize::from(drops == Drops::All);
        for polls in begin..20 {
            let (read, was_ready) = reads(protocol(), speaks, bound, (drops, polls)).await;
            dropped += usize::from(!was_ready);
            let told = read.iter().filter(|told| !told.starts_with("Missed"));
            if bound == 32 {
                assert_eq!(read, expected, "{drops:?} after {polls} polls");
            }
            // Of what it has missed it is told the number; the rest is in order all the same.
            let mut left = expected.iter();
            for told in told {
                let found = left.any(|expected| expected == told);
                assert!(found, "{drops:?} after {polls} polls: {read:?}");
            }
            if was_ready && drops != Drops::All {
                break;
            }
        }
    }
    dropped
}

#[tokio::test(start_paused = true)]
async fn the_next_notice_may_be_dropped_after_any_poll_and_none_is_lost_or_comes_twice() {
    let lines = every_poll(|| Lines(greeting()), Speaks::Lines).await;
    let frames = every_poll(|| Frames(greeting(), 1..=3), Speaks::Frames).await;
    tell(
        "sweeps",
        format!(
            "{} futures of subscribers dropped after every poll: no notice lost, none doubled",
            lines + frames
        ),
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_goes_costs_nothing() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(Lines(greeting()), network.connector(), |b| b);
    caller.works().await;
    let mut kept = caller.client.subscribe(4).await;
    for _ in 0..10 {
        drop(caller.client.subscribe(1).await);
        server.push(7);
        sleep(Duration::from_millis(1)).await;
    }
    // Room for four: it was told of the rest that it missed them.
    let mut notices = Vec::new();
    while let Some(notice) = waiting(&mut kept) {
        notices.push(notice);
    }
    assert_eq!(notices.len(), 4, "{notices:?}");
    server.push(8);
    sleep(Duration::from_millis(1)).await;
    let missed = waiting(&mut kept).expect("it is told");
    assert!(missed.starts_with("Missed("), "{missed}");
    rig.end(caller).await;
}
