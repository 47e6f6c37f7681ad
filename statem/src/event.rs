//! Where an event came from.

use std::fmt;

/// Where the event being handled came from (N7): set once, it survives postponing and cannot be
/// made by the outside.
///
/// `handle.cast(Event::Backoff)` has the origin `Cast`, whatever the event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin<Timeout> {
    /// A call: somebody waits for its reply.
    Call,
    /// A cast.
    Cast,
    /// [`Actions::insert`](crate::Actions::insert).
    Inserted,
    /// The state timeout.
    StateTimeout,
    /// The event timeout.
    EventTimeout,
    /// The named timeout of this name.
    Timeout(Timeout),
    /// A [`Timer`](crate::Timer).
    Timer(TimerId),
    /// A task, a stream or another [`Source`](crate::Source).
    Source(SourceId),
}

/// A source of a machine, for as long as the machine runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(crate) u64);

/// A [`Timer`](crate::Timer) of a machine, for as long as the machine runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub(crate) u64);

impl fmt::Debug for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source {}", self.0)
    }
}

impl fmt::Debug for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timer {}", self.0)
    }
}
