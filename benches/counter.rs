//! The counter that every contender implements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// The limit of a call that has one.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// What a beat sets the timer to.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// A running counter.
pub(crate) trait Process: Clone + Send + Sync + 'static {
    /// Starts it; it tells `started` when its init has run.
    fn spawn(started: Arc<Started>) -> impl Future<Output = Self> + Send;
    /// Asks for the total, with the library's own limit, if it has one.
    fn call(&self) -> impl Future<Output = u64> + Send;
    /// Asks for the total within [`LIMIT`].
    fn call_within_limit(&self) -> impl Future<Output = u64> + Send;
    /// Asks for the total and starts its timer of [`SILENCE`] anew.
    fn beat(&self) -> impl Future<Output = u64> + Send;
    /// Adds one, without an answer.
    fn cast(&self) -> impl Future<Output = ()> + Send;
}

/// Counts the processes whose init has run.
#[derive(Default)]
pub(crate) struct Started {
    count: AtomicU32,
    awaited: AtomicU32,
    all: Notify,
}

impl Started {
    pub(crate) fn one_more(&self) {
        if self.count.fetch_add(1, Ordering::SeqCst) + 1 == self.awaited.load(Ordering::SeqCst) {
            self.all.notify_one();
        }
    }

    /// Waits for this many.
    pub(crate) async fn wait_for(&self, count: u32) {
        self.awaited.store(count, Ordering::SeqCst);
        if self.count.load(Ordering::SeqCst) < count {
            self.all.notified().await;
        }
    }
}
