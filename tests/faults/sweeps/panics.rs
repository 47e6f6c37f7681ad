//! A panic in every callback of a protocol.

use std::sync::atomic::Ordering;

use statem::ExitReason;
use statem::net::RequestError;
use tokio::time::sleep;

use super::greeting;
use crate::support::caller::{Caller, How, Rig, Speaks as Speaker, all, balanced};
use crate::support::ledger::Outcome;
use crate::support::memory::Network;
use crate::support::protocol::{Frames, Lines, Manners};
use crate::support::row::tell;
use crate::support::server::{Conduct, Server, Speaks};
use crate::support::time::{millis, within};

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
