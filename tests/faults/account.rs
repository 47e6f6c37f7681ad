//! F44: all faults in turn, and what was counted and logged of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use statem::net::{ClientCounts, LinkConfig};
use tokio::time::sleep;

use crate::support::caller::{How, Rig};
use crate::support::ledger::Outcome;
use crate::support::protocol::greeting;
use crate::support::relay::{Fault, Relay};
use crate::support::row::{Row, tell};
use crate::support::server::Conduct;
use crate::support::time::{SOON, millis, within};
use crate::support::trace::listen;

#[test]
fn f44_every_start_has_its_end() {
    let mut row = Row::new("F44", "any of the above", "memory, loopback, by the log");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (counts, said) = listen(|| runtime.block_on(everything()));
    let said = |message: &str| said.get(message).copied().unwrap_or(0) as u64;
    assert_eq!(said("connecting"), counts.connects);
    assert_eq!(said("connected"), counts.connects_succeeded);
    assert_eq!(said("could not connect"), counts.connects_failed);
    assert_eq!(said("gave up connecting"), counts.connects_abandoned);
    assert_eq!((said("up"), said("down")), (counts.ups, counts.downs));
    let ends = [
        "handshake done",
        "handshake failed",
        "gave up the handshake",
    ];
    let ended: u64 = ends.iter().map(|end| said(end)).sum();
    assert!(said("handshake") > 0);
    assert_eq!(said("handshake"), ended);
    tell("F44", format!("{counts:?}"));
    row.sees("the log's `connecting`, `up` and `down` and the counters agree, and balance");
    row.end();
}

/// All faults of the relay, one after the other, with callers; what is counted in the end.
async fn everything() -> ClientCounts {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    let config = LinkConfig::default().write_timeout(millis(200));
    let caller = rig.start(greeting(), relay.address, |b| {
        b.link(config)
            .answer_timeout(millis(200))
            .handshake_timeout(millis(200))
    });
    let mut workers = Vec::new();
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(true));
    for worker in 0..16 {
        let (caller, busy) = (caller.clone(), busy.clone());
        workers.push(tokio::spawn(async move {
            let how = match worker % 4 {
                0 => How::fails_fast(),
                1 => How::within(millis(20)),
                2 => How {
                    again: true,
                    ..How::default()
                },
                _ => How::within(millis(300)),
            };
            while busy.load(Ordering::Relaxed) {
                let _ = caller.ask(how).await;
                sleep(millis(1)).await;
            }
        }));
    }
    for fault in [
        Fault::Hold,
        Fault::Silence,
        Fault::Flap,
        Fault::FlapAfter(millis(30)),
        Fault::Truncate(40),
        Fault::Corrupt,
        Fault::Delay(millis(20)),
        Fault::Bandwidth(2_000),
    ] {
        caller.ready().await;
        relay.fault(fault);
        sleep(millis(250)).await;
        relay.reset();
        relay.fault(Fault::None);
        // One that is made at the reset may still be lost with it.
        let answered = async { while caller.ask(How::default()).await.is_err() {} };
        within(
            SOON,
            format!("a call is answered after {fault:?}"),
            answered,
        )
        .await;
    }
    busy.store(false, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let ledger = rig.ledger.clone();
    let counts = rig.end(caller).await;
    assert!(counts.connects_failed + counts.downs > 8, "{counts:?}");
    for (outcome, counted) in [
        (Outcome::Ok, counts.ok),
        (Outcome::Protocol, counts.protocol),
    ] {
        assert_eq!(
            ledger.count(outcome) as u64,
            counted,
            "{outcome:?}: {counts:?}"
        );
    }
    counts
}
