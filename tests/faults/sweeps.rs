//! Sweeps: every place where bytes can be cut, every moment where a future can be dropped, every
//! callback that can panic.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use futures_core::Stream;
use statem::net::{FeedStream, Notice, RequestError};
use statem::{ExitReason, Status};
use tokio::time::sleep;
use tokio_util::codec::Encoder;

use crate::drop::wired;
use crate::support::caller::{Caller, How, Rig, Speaks as Speaker, all, balanced};
use crate::support::ledger::Outcome;
use crate::support::memory::Network;
use crate::support::protocol::{Frame, FrameCodec, Frames, Kind, Lines, Manners};
use crate::support::row::tell;
use crate::support::server::{Conduct, Server, Speaks};
use crate::support::time::{millis, settle, until, within};

fn greeting() -> Manners {
    Manners {
        greets: true,
        ..Manners::default()
    }
}

/// What a peer says after the requests 1, 2 and 3 have come: all kinds of frames.
fn in_lines() -> Vec<u8> {
    b"=1\n!7\n!8\n=2\r\n=3\n!9\n".to_vec()
}

fn in_frames(answers: [u64; 3]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    let mut codec = FrameCodec::new();
    let mut say = |id, kind, key| codec.encode(Frame { id, kind, key }, &mut bytes).unwrap();
    say(0, Kind::Push, 7);
    for id in answers {
        say(id, Kind::Run, id);
    }
    say(0, Kind::Push, 8);
    bytes.to_vec()
}

/// Everything that a user can see of a client whose peer sends these pieces one after the other:
/// a greeting with a push behind it, then answers.
async fn seen<P: Speaker>(protocol: P, hello: &[&[u8]], pieces: &[&[u8]]) -> Vec<String> {
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let caller = rig.start(protocol, network.connector(), |b| b);
    let mut notices = within(millis(1), "subscribed", caller.client.subscribe(32)).await;
    caller.until_in("Handshaking").await;
    let say = async |pieces: &[&[u8]]| {
        for piece in pieces {
            wires.lock().unwrap()[0].send(piece);
            settle().await;
        }
    };
    say(hello).await;
    let calls = caller.spawn_many(3, How::default());
    settle().await;
    (1..=3).for_each(|key| rig.ledger.execute(key));
    say(pieces).await;
    let mut seen: Vec<_> = all(calls)
        .await
        .iter()
        .map(|told| format!("{told:?}"))
        .collect();
    wires.lock().unwrap()[0].end();
    until("the end is seen", || caller.counts().downs == 1).await;
    settle().await;
    while let Some(notice) = next(&mut notices) {
        seen.push(notice);
    }
    let counts = caller.counts();
    seen.push(format!("{} {} {}", counts.pushed, counts.stray, counts.ok));
    rig.end(caller).await;
    seen
}

/// A notice that waits.
fn next(notices: &mut FeedStream<Notice<u64>>) -> Option<String> {
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(notices).poll_next(&mut context) {
        Poll::Ready(notice) => notice.map(|notice| format!("{notice:?}")),
        Poll::Pending => None,
    }
}

/// All the ways to cut bytes in two, and one byte at a time.
fn cuts(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let in_two = (1..bytes.len()).map(|place| vec![&bytes[..place], &bytes[place..]]);
    in_two.chain([bytes.chunks(1).collect()]).collect()
}

async fn every_cut<P: Speaker>(protocol: impl Fn() -> P, hello: &[u8], bytes: &[u8]) {
    let whole = seen(protocol(), &[hello], &[bytes]).await;
    assert_eq!(
        whole.iter().filter(|seen| seen.starts_with("Ok")).count(),
        3,
        "{whole:?}"
    );
    let cuts_of_bytes = cuts(bytes);
    for pieces in &cuts_of_bytes {
        assert_eq!(
            seen(protocol(), &[hello], pieces).await,
            whole,
            "{pieces:?}"
        );
    }
    for pieces in cuts(hello) {
        assert_eq!(
            seen(protocol(), &pieces, &[bytes]).await,
            whole,
            "{pieces:?}"
        );
    }
    // In three.
    for first in (1..bytes.len()).step_by(3) {
        for second in (first + 1..bytes.len()).step_by(5) {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(
                seen(protocol(), &[hello], &pieces).await,
                whole,
                "{pieces:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n82_however_lines_are_cut_the_same_is_seen() {
    every_cut(|| Lines(greeting()), b"+hello\n!6\n", &in_lines()).await;
}

#[tokio::test(start_paused = true)]
async fn n82_however_frames_are_cut_the_same_is_seen() {
    let mut hello = BytesMut::new();
    let mut codec = FrameCodec::new();
    codec
        .encode(
            Frame {
                id: 0,
                kind: Kind::Hello,
                key: 0,
            },
            &mut hello,
        )
        .unwrap();
    codec
        .encode(
            Frame {
                id: 0,
                kind: Kind::Push,
                key: 6,
            },
            &mut hello,
        )
        .unwrap();
    // The answers come in another order than the requests; ids begin at the first one.
    every_cut(|| Frames(greeting(), 1..=9), &hello, &in_frames([2, 3, 1])).await;
}

/// Polls a future so often at most, and drops it then. `None` if it was not ready.
async fn cancelled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut polled = 0;
    std::future::poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last one: it is dropped before anything else happens.
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Where a client is when a future is made.
#[derive(Clone, Copy, Debug)]
enum Where {
    NotConnected,
    Greeting,
    Idle,
    /// As many are in flight as may be.
    Full,
}

/// The public futures of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Call,
    Ready,
    Subscribe,
    Reconnect,
    Inspect,
    Changed,
    Closed,
    Shutdown,
    Stop,
}

/// One run in which a future is dropped after so many polls; whether it was ready before.
async fn dropped_after(polls: usize, wish: Wish, place: Where) -> bool {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    if matches!(place, Where::NotConnected) {
        network.plan(|_| crate::support::memory::Fate::Hangs);
    }
    let protocol = Lines(Manners {
        pings: true,
        ..greeting()
    });
    let caller = rig.start(
        protocol,
        network.connector().connect_timeout(millis(20)),
        |b| b.window(4),
    );
    match place {
        Where::NotConnected => caller.until_in("Connecting").await,
        Where::Greeting => {
            server.answers(false);
            caller.until_in("Handshaking").await;
        }
        Where::Idle => caller.works().await,
        Where::Full => {
            caller.works().await;
            server.answers(false);
        }
    }
    // Others, before and after.
    let before = caller.spawn_many(6, How::default());
    settle().await;
    // What the future waits for comes in between.
    let (there, answering) = (server.clone(), network.clone());
    let helping = tokio::spawn(async move {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        sleep(millis(5)).await;
        let serving = there.clone();
        answering.plan(move |_| crate::support::memory::Fate::Reaches(serving.clone()));
        there.answers(true);
    });
    let was_ready = wished(polls, wish, &caller).await;
    let after = caller.spawn_many(6, How::default());
    helping.await.unwrap();
    let ends = polls > 0 && matches!(wish, Wish::Shutdown | Wish::Stop);
    let (before, after) = (all(before).await, all(after).await);
    if ends {
        within(millis(5_000), "it ends in any case", caller.client.closed()).await;
    } else {
        assert!(
            before.iter().chain(&after).all(Result::is_ok),
            "{before:?} {after:?}"
        );
        assert!(matches!(caller.client.status(), Status::Running(_)));
        caller.works().await;
    }
    // A connection that was replaced is closed when it is answered.
    let order = rig.ledger.order();
    assert!(
        ends || wish == Wish::Reconnect || order.is_sorted(),
        "in order: {order:?}"
    );
    assert_eq!(rig.ledger.twice(), 0);
    rig.end(caller).await;
    was_ready
}

async fn wished(polls: usize, wish: Wish, caller: &Caller<Lines>) -> bool {
    let client = &caller.client;
    let limit = millis(2_000);
    match wish {
        Wish::Call => cancelled(polls, caller.ask(How::default())).await.is_some(),
        Wish::Ready => cancelled(polls, client.ready()).await.is_some(),
        Wish::Subscribe => cancelled(polls, client.subscribe(4)).await.is_some(),
        Wish::Reconnect => cancelled(polls, client.reconnect_now()).await.is_some(),
        Wish::Inspect => cancelled(polls, client.inspect()).await.is_some(),
        Wish::Changed => {
            let mut watch = client.watch();
            let changed = async {
                // From the second change on, as a user follows it.
                watch.changed().await
            };
            cancelled(polls, within(limit, "a change", changed))
                .await
                .is_some()
        }
        Wish::Closed => {
            let closed = async {
                let _ = tokio::time::timeout(millis(10), client.closed()).await;
            };
            cancelled(polls, closed).await.is_some()
        }
        Wish::Shutdown => cancelled(polls, client.shutdown(limit)).await.is_some(),
        Wish::Stop => cancelled(polls, client.stop()).await.is_some(),
    }
}

#[tokio::test(start_paused = true)]
async fn every_public_future_of_a_client_may_be_dropped_after_any_poll() {
    let mut runs = 0;
    for place in [
        Where::NotConnected,
        Where::Greeting,
        Where::Idle,
        Where::Full,
    ] {
        for wish in [
            Wish::Call,
            Wish::Ready,
            Wish::Subscribe,
            Wish::Reconnect,
            Wish::Inspect,
            Wish::Changed,
            Wish::Closed,
            Wish::Shutdown,
            Wish::Stop,
        ] {
            // A watch whose state does not change again is never ready.
            let idle = matches!((wish, place), (Wish::Changed, Where::Idle | Where::Full));
            for polls in 0..=if idle { 1 } else { 40 } {
                runs += 1;
                if dropped_after(polls, wish, place).await {
                    break;
                }
                assert!(
                    polls < 40,
                    "{wish:?} in {place:?} is not ready after 40 polls"
                );
            }
        }
    }
    tell(
        "sweeps",
        format!("{runs} futures dropped after every poll: nothing lost, nothing doubled"),
    );
}

/// A life with everything in it: greetings, calls of each kind, answers, a push, a ping, a drain, a
/// reset, a replaced connection. Gives how many callbacks there were.
async fn life<P: Speaker>(protocol: P, conduct: Conduct, drains: bool) -> (Rig, Caller<P>) {
    let mut rig = Rig::default();
    let server = rig.server(conduct);
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(protocol, network.connector(), |b| {
        b.window(4)
            .ping_after(millis(100))
            .answer_timeout(millis(400))
            .min_uptime(millis(1))
    });
    let kinds = [
        How::default(),
        How {
            long: true,
            ..How::default()
        },
        How {
            again: true,
            ..How::default()
        },
        How {
            bad: true,
            ..How::default()
        },
        How::within(millis(30)),
        How::default(),
    ];
    let mut calls = Vec::new();
    for step in 0..5 {
        calls.extend(kinds.map(|how| caller.spawn(how)));
        sleep(millis(10)).await;
        step_of(step, &server, &network, drains).await;
        if step == 3 {
            within(millis(10_000), "asked for", caller.client.reconnect_now()).await;
        }
        calls.extend(kinds.map(|how| caller.spawn(how)));
        sleep(millis(60)).await;
        server.answers(true);
    }
    // Long enough for a ping.
    sleep(millis(300)).await;
    let _ = all(calls).await;
    (rig, caller)
}

async fn step_of(step: usize, server: &Server, network: &Network, drains: bool) {
    match step {
        0 => server.push(7),
        1 => {
            server.answers(false);
            sleep(millis(50)).await;
            network.reset();
        }
        2 if drains => server.announce_drain(),
        _ => server.answers(false),
    }
}

async fn a_panic_at_every_callback<P: Speaker>(
    protocol: impl Fn(Manners) -> P,
    conduct: Conduct,
    drains: bool,
) -> usize {
    let manners = Manners {
        pings: true,
        ..greeting()
    };
    let counting = manners.clone();
    let (rig, caller) = life(protocol(counting.clone()), conduct, drains).await;
    rig.end(caller).await;
    let callbacks = counting.callbacks.load(Ordering::Relaxed);
    for index in 0..callbacks {
        let panicking = Manners {
            panics_at: Some(index),
            callbacks: std::sync::Arc::default(),
            ..manners.clone()
        };
        let (rig, caller) = life(protocol(panicking), conduct, drains).await;
        let reason = within(millis(1), "it has ended", caller.client.closed()).await;
        let ExitReason::Panicked { .. } = reason else {
            panic!("callback {index}: {reason:?}")
        };
        let told = caller.ask(How::default()).await;
        let stopped = matches!(
            told,
            Err(RequestError::Stopped {
                may_have_run: false,
                ..
            })
        );
        assert!(stopped, "callback {index}: {told:?}");
        let counts = caller.counts();
        balanced(&counts);
        assert_eq!(
            counts.ok,
            rig.ledger.count(Outcome::Ok) as u64,
            "callback {index}: {counts:?}"
        );
        drop(caller);
        rig.end_without().await;
    }
    callbacks
}

#[tokio::test(start_paused = true)]
async fn n65_a_panic_in_every_callback_of_a_protocol_in_order() {
    let callbacks = a_panic_at_every_callback(Lines, Conduct::default(), false).await;
    tell(
        "sweeps",
        format!("a panic in each of {callbacks} callbacks: every caller is told"),
    );
    assert!(callbacks > 100, "{callbacks}");
}

#[tokio::test(start_paused = true)]
async fn n65_a_panic_in_every_callback_of_a_protocol_by_ids() {
    let conduct = Conduct {
        speaks: Speaks::Frames,
        ..Conduct::default()
    };
    let protocol = |manners| Frames(manners, 1..=6);
    let callbacks = a_panic_at_every_callback(protocol, conduct, true).await;
    tell(
        "sweeps",
        format!("a panic in each of {callbacks} callbacks: every caller is told"),
    );
    assert!(callbacks > 100, "{callbacks}");
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
    while let Some(notice) = next(&mut kept) {
        notices.push(notice);
    }
    assert_eq!(notices.len(), 4, "{notices:?}");
    server.push(8);
    sleep(Duration::from_millis(1)).await;
    let missed = next(&mut kept).expect("it is told");
    assert!(missed.starts_with("Missed("), "{missed}");
    rig.end(caller).await;
}
