//! Callers that ask all the time, and the count of what became of their requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::Redis;
use super::verify::{Verdict, Verifier};

/// Callers that share one client. Each waits for its answer before it asks again.
#[derive(Debug)]
pub struct Traffic {
    callers: JoinSet<()>,
    over: Arc<AtomicBool>,
    tally: Counter,
}

/// The count of a [`Traffic`], to look at while it runs.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Mutex<Tally>>);

/// What became of all requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests made.
    pub sent: u64,
    /// Requests with the right answer.
    pub answered: u64,
    /// Requests without an answer, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Requests with an answer that is not theirs.
    pub mismatched: u64,
    /// The first of those, in words.
    pub first_mismatch: Option<String>,
    /// The longest time from a request to its outcome.
    pub slowest: Duration,
    /// When each caller last had an answer.
    pub last_answer: Vec<Option<Instant>>,
}

impl Counter {
    /// The count so far.
    #[must_use]
    pub fn now(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Requests without an answer.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    fn count(&mut self, caller: usize, verdict: Verdict, began: Instant) {
        let now = now();
        self.slowest = self.slowest.max(now - began);
        match verdict {
            Verdict::Answered => {
                self.answered += 1;
                self.last_answer[caller] = Some(now);
            }
            Verdict::Failed(reason) => *self.failed.entry(reason).or_default() += 1,
            Verdict::Mismatched(what) => {
                self.mismatched += 1;
                self.first_mismatch.get_or_insert(what);
            }
        }
    }
}

impl Traffic {
    /// Starts this many callers; each rests for `pause` after an answer. `forgets` if the server
    /// keeps nothing when it goes down.
    #[must_use]
    pub fn start(redis: &Redis, callers: usize, pause: Duration, forgets: bool) -> Self {
        let tally = Tally {
            last_answer: vec![None; callers],
            ..Tally::default()
        };
        let (over, tally) = (
            Arc::new(AtomicBool::new(false)),
            Counter(Arc::new(Mutex::new(tally))),
        );
        // A real server may hold what an earlier run has left.
        let run = fastrand::u64(..);
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let (redis, over, tally) = (redis.clone(), over.clone(), tally.clone());
            let prefix = format!("statem:{run:016x}:{caller}");
            tasks.spawn(async move {
                let losses = || redis.client().counts().downs;
                let mut verifier = Verifier::new(prefix, forgets, losses());
                while !over.load(Ordering::Acquire) {
                    let (asked, command) = verifier.ask();
                    tally.lock().sent += 1;
                    let began = now();
                    let outcome = redis.call(command).await;
                    let verdict = verifier.check(asked, &outcome, losses());
                    tally.lock().count(caller, verdict, began);
                    tokio::time::sleep(pause).await;
                }
                // Leaves nothing behind on a server that others use; if it fails there is nobody to
                // tell.
                let _ = redis.call(verifier.tidy()).await;
            });
        }
        Traffic {
            callers: tasks,
            over,
            tally,
        }
    }

    /// The count, to look at while the callers go on.
    #[must_use]
    pub fn tally(&self) -> Counter {
        self.tally.clone()
    }

    /// Lets each caller finish its request, and gives the count.
    ///
    /// # Panics
    ///
    /// If a caller did.
    pub async fn finish(self) -> Tally {
        self.over.store(true, Ordering::Release);
        self.callers.join_all().await;
        self.tally.now()
    }
}

/// The time. Only what is outside of a machine may ask for it: a machine is told.
#[must_use]
pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
    Instant::now()
}
