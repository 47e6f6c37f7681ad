//! What it costs to be looked at, and that it costs nothing not to be: the counter without a record,
//! with one that was ended, with functions that show its values and nobody who asks, with a log, and
//! with a log that shows the events.

use tokio::runtime::Builder as Runtime;

use crate::counter::Process;
use crate::report::{Contender, Section, each, now};
use crate::with_statem::{Statem, watched};

const ROUNDS: usize = 61;
const CALLS: u32 = 20_000;
const CASTS: u32 = 200_000;
/// The lines of the logs.
const LINES: usize = 64;

#[derive(Clone, Copy)]
enum Watched {
    Never,
    Before,
    Shown,
    Logged,
    LoggedAndShown,
}

impl Watched {
    const ALL: [Watched; 5] = [
        Watched::Never,
        Watched::Before,
        Watched::Shown,
        Watched::Logged,
        Watched::LoggedAndShown,
    ];

    async fn spawn(self) -> Statem {
        match self {
            Watched::Never => watched(None, false).await,
            Watched::Before => {
                let counter = watched(Some(LINES), false).await;
                counter.end_log().await;
                counter
            }
            Watched::Shown => watched(None, true).await,
            Watched::Logged => watched(Some(LINES), false).await,
            Watched::LoggedAndShown => watched(Some(LINES), true).await,
        }
    }
}

pub(crate) fn rows(filter: &str) {
    let mut section = Section::new(
        filter,
        "watched, one thread",
        "ns an operation",
        &[
            "no record",
            "log ended",
            "values shown",
            "log of 64",
            "and events",
        ],
    );
    for (name, casts, count) in [
        ("watched: call, 1 caller", false, CALLS),
        ("watched: cast", true, CASTS),
    ] {
        let contenders = Watched::ALL.map(|how| {
            Box::new(move || {
                let runtime = Runtime::new_current_thread().enable_all().build();
                runtime.expect("a runtime starts").block_on(async move {
                    tokio::spawn(run(how, casts, count))
                        .await
                        .expect("no work panics")
                })
            }) as Contender<'_>
        });
        section.row(name, None, ROUNDS, contenders.into());
    }
}

async fn run(how: Watched, casts: bool, count: u32) -> f64 {
    let counter = how.spawn().await;
    some(&counter, casts, count / 10).await;
    let start = now();
    some(&counter, casts, count).await;
    each(start.elapsed(), count)
}

/// Some operations one after the other, until the last one is done.
async fn some(counter: &Statem, casts: bool, count: u32) {
    for _ in 0..count {
        if casts {
            counter.cast().await;
        } else {
            counter.call().await;
        }
    }
    counter.call().await;
}
