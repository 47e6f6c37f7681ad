//! Processes: a counter that is called, cast to and re-arms a timeout, by hand and in each library.
//!
//! By hand is the loop one would write: an unbounded tokio channel in, a oneshot channel back.
//! Everything else is as its library gives it by default: statem's mailbox is bounded, and each of
//! its calls has a limit of five seconds.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::by_hand::Loop;
use crate::counter::{Process, Started};
use crate::report::{Contender, Section, each, now};
use crate::with_kameo::{Kameo, UnboundedKameo};
use crate::with_ractor::Ractor;
use crate::with_statem::{Statem, UnboundedStatem};

const ROUNDS: usize = 25;
/// For rows whose rounds take long.
const FEW_ROUNDS: usize = 9;

/// So many that they do not live in memory that is still warm.
const SPAWNED: u32 = 20_000;
const CALLS: u32 = 20_000;
const CALLERS: u32 = 64;
const CASTS: u32 = 1_000_000;

#[derive(Clone, Copy)]
enum Threads {
    One,
    Two,
}

impl Threads {
    fn runtime(self) -> Runtime {
        let mut builder = match self {
            Threads::One => Builder::new_current_thread(),
            Threads::Two => Builder::new_multi_thread(),
        };
        builder
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts")
    }
}

/// What a row does.
#[derive(Clone, Copy)]
enum Work {
    Call,
    CallWithinLimit,
    CallOfMany,
    Beat,
    Cast,
    Spawn,
}

pub(crate) fn rows(filter: &str) {
    let names = &["tokio by hand", "statem", "ractor", "kameo"];
    for (threads, title) in [
        (Threads::One, "process, one thread"),
        (Threads::Two, "process, two threads"),
    ] {
        let mut section = Section::new(filter, title, "ns an operation", names);
        for (work, name, aim, rounds) in [
            (
                Work::Call,
                "call, 1 caller (statem: limit of 5 s)",
                1.0,
                ROUNDS,
            ),
            (
                Work::CallWithinLimit,
                "call, 1 caller, all with a limit of 5 s",
                1.0,
                ROUNDS,
            ),
            (
                Work::CallOfMany,
                "call, 64 callers (statem: limit of 5 s)",
                1.0,
                ROUNDS,
            ),
            (Work::Beat, "call that re-arms a timeout", 1.0, ROUNDS),
            (Work::Spawn, "spawn until init has run", 0.6, FEW_ROUNDS),
            (
                Work::Cast,
                "cast, 1 M (statem: 1024, kameo: 64 may wait)",
                0.5,
                FEW_ROUNDS,
            ),
        ] {
            let contenders: Vec<Contender<'_>> = vec![
                Box::new(move || run::<Loop>(work, threads)),
                Box::new(move || run::<Statem>(work, threads)),
                Box::new(move || run::<Ractor>(work, threads)),
                Box::new(move || run::<Kameo>(work, threads)),
            ];
            section.row(name, Some(aim), rounds, contenders);
        }
        let unbounded: Vec<Contender<'_>> = vec![
            Box::new(move || run::<Loop>(Work::Cast, threads)),
            Box::new(move || run::<UnboundedStatem>(Work::Cast, threads)),
            Box::new(move || run::<Ractor>(Work::Cast, threads)),
            Box::new(move || run::<UnboundedKameo>(Work::Cast, threads)),
        ];
        section.row(
            "cast, 1 M, no bound anywhere",
            Some(0.5),
            FEW_ROUNDS,
            unbounded,
        );
    }
}

/// One round of one contender, on a runtime of its own: nothing of the one before is still being
/// cleared away.
fn run<P: Process>(work: Work, threads: Threads) -> f64 {
    threads.runtime().block_on(async move {
        tokio::spawn(work_on::<P>(work))
            .await
            .expect("no work panics")
    })
}

async fn work_on<P: Process>(work: Work) -> f64 {
    match work {
        Work::Spawn => return spawn::<P>().await,
        Work::CallOfMany => return call_of_many::<P>().await,
        _ => {}
    }
    let process = P::spawn(Arc::default()).await;
    let count = if matches!(work, Work::Cast) {
        CASTS
    } else {
        CALLS
    };
    some(work, &process, count / 10).await;
    let start = now();
    some(work, &process, count).await;
    each(start.elapsed(), count)
}

/// Some operations one after the other, until the last one is done.
async fn some<P: Process>(work: Work, process: &P, count: u32) {
    match work {
        Work::CallWithinLimit => {
            for _ in 0..count {
                process.call_within_limit().await;
            }
        }
        Work::Beat => {
            for _ in 0..count {
                process.beat().await;
            }
        }
        Work::Cast => {
            let before = process.call().await;
            for _ in 0..count {
                process.cast().await;
            }
            assert_eq!(process.call().await - before, u64::from(count));
        }
        Work::Call | Work::CallOfMany | Work::Spawn => {
            for _ in 0..count {
                process.call().await;
            }
        }
    }
}

async fn call_of_many<P: Process>() -> f64 {
    let process = P::spawn(Arc::default()).await;
    some(Work::Call, &process, CALLS / 10).await;
    let start = now();
    let callers = (0..CALLERS).map(|_| {
        let process = process.clone();
        tokio::spawn(async move { some(Work::Call, &process, CALLS / CALLERS).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("no caller panics");
    }
    each(start.elapsed(), CALLS / CALLERS * CALLERS)
}

async fn spawn<P: Process>() -> f64 {
    let started = Arc::new(Started::default());
    let mut processes = Vec::with_capacity(SPAWNED as usize);
    let start = now();
    for _ in 0..SPAWNED {
        processes.push(P::spawn(started.clone()).await);
    }
    started.wait_for(SPAWNED).await;
    each(start.elapsed(), SPAWNED)
}
