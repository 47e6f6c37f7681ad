//! Waiting for events with a deadline. On a paused clock the deadlines are virtual.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// For what must happen, however slow this computer is.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// What a loaded computer may add to a limit that real time measures.
pub(crate) const SLACK: Duration = Duration::from_millis(500);

pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What a future gives, which must be ready in time.
#[track_caller]
pub(crate) fn within<F: Future>(
    limit: Duration,
    what: impl Display,
    future: F,
) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        match timeout(limit, future).await {
            Ok(output) => output,
            Err(elapsed) => panic!("{place}: not within {limit:?}: {what} ({elapsed})"),
        }
    }
}

/// Waits until something holds, looking every millisecond.
#[track_caller]
pub(crate) fn until(
    what: impl Display,
    mut holds: impl FnMut() -> bool,
) -> impl Future<Output = ()> {
    within(SOON, what, async move {
        while !holds() {
            sleep(Duration::from_millis(1)).await;
        }
    })
}

/// Lets every task that can run do so, on a paused clock of one thread: time does not move.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
