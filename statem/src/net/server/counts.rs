//! What a server counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often things happened to a server since it was started; see
/// [`Server::counts`](super::Server::counts).
///
/// When no connection is open, `accepted == refused + unsecured + started` and
/// `started == ended + failed`, whichever way the server itself has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCounts {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Those that were closed at once, because as many as may be were open.
    pub refused: u64,
    /// Those on which TLS was not set up, or not in time.
    pub unsecured: u64,
    /// Those whose machine was started.
    pub started: u64,
    /// Those whose machine has ended in an ordinary way.
    pub ended: u64,
    /// Those whose machine has ended otherwise: with an error, a panic, or cut off.
    pub failed: u64,
    /// How often accepting failed for another reason than the connection itself.
    pub accept_errors: u64,
}

impl ServerCounts {
    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> u64 {
        let over = self.refused + self.unsecured + self.ended + self.failed;
        self.accepted.saturating_sub(over)
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) unsecured: AtomicU64,
    pub(super) started: AtomicU64,
    pub(super) ended: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) accept_errors: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> ServerCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerCounts {
            accepted: read(&self.accepted),
            refused: read(&self.refused),
            unsecured: read(&self.unsecured),
            started: read(&self.started),
            ended: read(&self.ended),
            failed: read(&self.failed),
            accept_errors: read(&self.accept_errors),
        }
    }
}
