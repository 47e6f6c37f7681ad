//! What a client counts.

use std::sync::atomic::{AtomicU64, Ordering};

use super::telemetry::tell;
use crate::net::Settled;

/// How often things happened to a client since it was started; see
/// [`Client::counts`](super::Client::counts).
///
/// When nothing waits and nothing is in flight, `accepted == sent + not_sent` and
/// `sent == ok + unknown + protocol + stopped`; every attempt to connect has ended in one of three
/// ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCounts {
    /// Requests that the machine has taken. A call that was given up before is not among them.
    pub accepted: u64,
    /// Those that were sent, but for those of which no byte had left when the connection ended. One
    /// that was sent again counts once.
    pub sent: u64,
    /// Those that have not run and will not.
    pub not_sent: u64,
    /// Those whose caller got the answer.
    pub ok: u64,
    /// Those that may have run: lost with a connection, or their callers had gone.
    pub unknown: u64,
    /// Those that were lost because the peer broke the protocol.
    pub protocol: u64,
    /// Those that may have run when the client ended.
    pub stopped: u64,
    /// Answers whose callers had gone (N84). They are among the unknown.
    pub late: u64,
    /// Answers to what nobody had asked (N84). Each ended its connection.
    pub stray: u64,
    /// Requests that were sent again on another connection.
    pub replayed: u64,
    /// Items that the peer pushed.
    pub pushed: u64,
    /// Attempts to connect.
    pub connects: u64,
    /// Those that made a connection, which may have failed in its handshake.
    pub connects_succeeded: u64,
    /// Those that failed.
    pub connects_failed: u64,
    /// Those that were given up.
    pub connects_abandoned: u64,
    /// Connections that were ready for requests.
    pub ups: u64,
    /// Those of them that have ended.
    pub downs: u64,
}

/// The counters. Only the machine writes, one event at a time, so none needs more than a load and a
/// store; others read.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) accepted: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) not_sent: AtomicU64,
    pub(super) ok: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) protocol: AtomicU64,
    pub(super) stopped: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) stray: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) pushed: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) connects_succeeded: AtomicU64,
    pub(super) connects_failed: AtomicU64,
    pub(super) connects_abandoned: AtomicU64,
    pub(super) ups: AtomicU64,
    pub(super) downs: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    /// Some that were counted were none.
    pub(super) fn take_back(counter: &AtomicU64, count: u64) {
        let before = counter.load(Ordering::Relaxed);
        counter.store(before.saturating_sub(count), Ordering::Relaxed);
    }

    pub(super) fn settle(&self, settled: Settled) {
        if settled == Settled::default() {
            return;
        }
        tell!(
            DEBUG,
            not_sent = settled.not_sent,
            unknown = settled.unknown,
            protocol = settled.protocol,
            stopped = settled.stopped,
            "requests failed"
        );
        Self::add(&self.not_sent, settled.not_sent);
        Self::add(&self.unknown, settled.unknown);
        Self::add(&self.protocol, settled.protocol);
        Self::add(&self.stopped, settled.stopped);
    }

    pub(super) fn read(&self) -> ClientCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClientCounts {
            accepted: read(&self.accepted),
            sent: read(&self.sent),
            not_sent: read(&self.not_sent),
            ok: read(&self.ok),
            unknown: read(&self.unknown),
            protocol: read(&self.protocol),
            stopped: read(&self.stopped),
            late: read(&self.late),
            stray: read(&self.stray),
            replayed: read(&self.replayed),
            pushed: read(&self.pushed),
            connects: read(&self.connects),
            connects_succeeded: read(&self.connects_succeeded),
            connects_failed: read(&self.connects_failed),
            connects_abandoned: read(&self.connects_abandoned),
            ups: read(&self.ups),
            downs: read(&self.downs),
        }
    }
}
