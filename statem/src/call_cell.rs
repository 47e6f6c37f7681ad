//! A call without the type of its answer: what the queues, the engine and the mailbox need of it.

#[cfg(feature = "tokio")]
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "tokio")]
use std::time::Instant;

use crate::reason::{Bound, ExitReason};
#[cfg(feature = "tokio")]
use crate::sync::atomic::{AtomicU8, Ordering};

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
    /// As [`CallCell::fail`], for the caller to see once it is published; for the failures of a
    /// machine that lives on. False if the call has an answer.
    fn refuse(&self, failure: Failure) -> bool;
    /// Makes an answer that was given visible to the caller.
    fn publish(&self);
    /// What is known of an event that was kept through a restart of its machine (N76).
    #[cfg(feature = "tokio")]
    fn kept(&self) -> Option<&KeptCell> {
        None
    }
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
    /// The machine will be started again (N76); why its last life ended.
    #[cfg(feature = "tokio")]
    Restarting {
        machine: &'static str,
        reason: ExitReason,
    },
}

impl Failure {
    /// If it is that the machine has ended: which, and why.
    pub(crate) fn ended(&self) -> Option<(&'static str, ExitReason)> {
        match self {
            Failure::Stopped { machine, reason } => Some((machine, reason.clone())),
            #[cfg(feature = "tokio")]
            Failure::Restarting { machine, reason } => Some((machine, reason.clone())),
            Failure::Full { .. } | Failure::NotAnswered { .. } | Failure::Unexpected { .. } => None,
        }
    }
}

/// An event that a life of its machine has left to the next one (N76).
#[cfg(feature = "tokio")]
pub(crate) struct Kept<Event> {
    pub(crate) event: Event,
    /// Knows how often; a cast has one too.
    pub(crate) call: Arc<dyn CallCell>,
    pub(crate) is_call: bool,
}

#[cfg(feature = "tokio")]
impl<Event> Kept<Event> {
    pub(crate) fn new(event: Event, call: Option<Arc<dyn CallCell>>, is_call: bool) -> Self {
        let call = match call {
            Some(call) if call.kept().is_some() => call,
            call => Arc::new(KeptCell::new(call)),
        };
        Kept {
            event,
            call,
            is_call,
        }
    }

    /// The machine is restarted once more; how often it was since the event came.
    pub(crate) fn restarted(&self) -> u8 {
        self.call.kept().map_or(u8::MAX, KeptCell::restarted)
    }
}

/// The call of an event that was kept, with how often. It goes with the event through all queues, so
/// that those have no place for what hardly any event needs; a cast that was kept has one, too.
#[cfg(feature = "tokio")]
pub(crate) struct KeptCell {
    call: Option<Arc<dyn CallCell>>,
    restarts: AtomicU8,
}

#[cfg(feature = "tokio")]
impl KeptCell {
    fn new(call: Option<Arc<dyn CallCell>>) -> Self {
        KeptCell {
            call,
            restarts: AtomicU8::new(0),
        }
    }

    /// Counts another restart. Events are dropped long before there are no numbers left.
    fn restarted(&self) -> u8 {
        self.restarts.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(feature = "tokio")]
impl CallCell for KeptCell {
    fn begin(&self) -> bool {
        self.call.as_ref().is_none_or(|call| call.begin())
    }

    fn release(&self) {
        if let Some(call) = &self.call {
            call.release();
        }
    }

    fn is_gone(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_gone())
    }

    fn deadline(&self) -> Option<Duration> {
        self.call.as_ref()?.deadline()
    }

    fn set_start(&self, start: Instant) {
        if let Some(call) = &self.call {
            call.set_start(start);
        }
    }

    fn fail(&self, failure: Failure) {
        if let Some(call) = &self.call {
            call.fail(failure);
        }
    }

    fn refuse(&self, failure: Failure) -> bool {
        self.call.as_ref().is_some_and(|call| call.refuse(failure))
    }

    fn publish(&self) {
        if let Some(call) = &self.call {
            call.publish();
        }
    }

    fn kept(&self) -> Option<&KeptCell> {
        Some(self)
    }
}
