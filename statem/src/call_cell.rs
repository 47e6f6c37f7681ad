//! A call without the type of its answer: what the queues, the engine and the mailbox need of it.

use std::time::Duration;
#[cfg(feature = "tokio")]
use std::time::Instant;

use crate::reason::{Bound, ExitReason};

/// A call as the engine and the mailbox see it, without the type of its answer.
pub(crate) trait CallCell: Send + Sync {
    /// A handler is about to get the event. False if the caller has gone first: then no handler may
    /// get it (N51).
    fn begin(&self) -> bool;
    /// The handler has given the event back: it has done nothing (N51).
    fn release(&self);
    /// Whether the caller has gone.
    fn is_gone(&self) -> bool;
    fn deadline(&self) -> Option<Duration>;
    /// It is given to a machine that counts its time from here.
    #[cfg(feature = "tokio")]
    fn set_start(&self, start: Instant);
    /// Ends the call without an answer, unless it has one.
    fn fail(&self, failure: Failure);
    /// Makes an answer that was given visible to the caller.
    fn publish(&self);
}

/// The ends of a call that are not of its own type.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Full {
        machine: &'static str,
        what: Bound,
    },
    NotAnswered {
        machine: &'static str,
        state: Option<&'static str>,
    },
    Unexpected {
        machine: &'static str,
        state: &'static str,
    },
    Stopped {
        machine: &'static str,
        reason: ExitReason,
    },
}
