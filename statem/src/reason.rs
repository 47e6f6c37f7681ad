//! Why a machine ended.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a machine ended. Cheap to clone: every waiting caller gets it (N64).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExitReason {
    /// It stopped by itself or by `Handle::stop`, reached a terminal state, or its last handle was
    /// dropped.
    Normal,
    /// It was shut down: by `Handle::shutdown`, or by the machine that owned it.
    Shutdown,
    /// It ended in an ordinary way, and this is why: no crash report is made of it, and nobody is to
    /// bring it back (R99; OTP's `{shutdown, Reason}`). For the machine of a connection that gives its
    /// peer up.
    Ended(Arc<dyn Error + Send + Sync>),
    /// It stopped with an error: its own, or that of `Handle::stop_with`.
    Other(Arc<dyn Error + Send + Sync>),
    /// It was killed: `terminate` was not called (N62), unless it stopped itself with the reason of
    /// another machine.
    Killed,
    /// Its driver was dropped: the runtime shut down or the task was aborted (N63). As `Killed`
    /// otherwise.
    Aborted,
    /// A callback, a source or a `Drop` of the machine panicked (N65).
    Panicked {
        /// What the panic said.
        message: Arc<str>,
        /// Where: `init`, `enter`, `handle`, `refused`, `terminate`, the drop of a state, an event or
        /// a source, the type of the source that was polled, or the driver, where it needed a timer
        /// and the runtime has none.
        callback: &'static str,
        /// The name of the state the machine was in.
        state: &'static str,
    },
    /// The state was lost: a `go_with` whose `Next` was not returned, a `Next` kept from an earlier
    /// event, or another variant written through `*self` in `enter` (N12).
    StateLost {
        /// The name of the state that the machine was in.
        from: &'static str,
    },
    /// A machine that it is [linked](crate::Actions::link) to ended, and not normally (R92).
    #[cfg(feature = "tokio")]
    Linked {
        /// The other machine.
        machine: &'static str,
        /// Why that one ended.
        reason: Arc<ExitReason>,
    },
    /// One of the machine's bounds was passed by events of its own, so that dropping one would have
    /// been a silent loss.
    Overflow {
        /// Which bound.
        what: Bound,
    },
}

/// A bound of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// Messages waiting in the mailbox.
    Mailbox,
    /// Postponed events (N45).
    Postponed,
    /// Self-inserted events waiting (N31).
    Inserted,
    /// `cx.repeat()` in one transition (N6).
    EnterRepeats,
}

impl ExitReason {
    /// A reason with an error of the machine's own.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        ExitReason::Other(Arc::from(error.into()))
    }

    /// An ordinary end that says why.
    ///
    /// ```
    /// use statem::ExitReason;
    ///
    /// let reason = ExitReason::ended("the peer speaks another protocol");
    /// assert!(reason.is_normal());
    /// assert_eq!(reason.to_string(), "it ended: the peer speaks another protocol");
    /// ```
    pub fn ended(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        ExitReason::Ended(Arc::from(why.into()))
    }

    /// Whether this is an ordinary end, which makes no crash report (R99). To end with a machine
    /// that was shut down is one.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        match self {
            ExitReason::Normal | ExitReason::Shutdown | ExitReason::Ended(_) => true,
            #[cfg(feature = "tokio")]
            ExitReason::Linked { reason, .. } => reason.is_normal(),
            _ => false,
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ExitReason {
    fn from(error: E) -> Self {
        ExitReason::Other(Arc::new(error))
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitReason::Normal => f.write_str("it ended normally"),
            ExitReason::Shutdown => f.write_str("it was shut down"),
            ExitReason::Ended(why) => write!(f, "it ended: {why}"),
            ExitReason::Other(error) => write!(f, "it stopped with an error: {error}"),
            ExitReason::Killed => f.write_str("it was killed"),
            ExitReason::Aborted => {
                f.write_str("its driver was dropped, by the end of its runtime or an abort")
            }
            ExitReason::Panicked {
                message,
                callback,
                state,
            } => {
                write!(
                    f,
                    "it panicked in {callback}, in state `{state}`: {message}"
                )
            }
            ExitReason::StateLost { from } => write!(
                f,
                "its state was lost in `{from}`: return the `Next` of `go_with` in the same event, \
                 and do not write another variant through `*self`"
            ),
            #[cfg(feature = "tokio")]
            ExitReason::Linked { machine, reason } => {
                write!(
                    f,
                    "it ended with `{machine}`, which it is linked to: {reason}"
                )
            }
            ExitReason::Overflow { what } => {
                write!(
                    f,
                    "it passed its bound of {what} by events of its own; raise the bound or slow the machine down"
                )
            }
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Mailbox => "messages in the mailbox",
            Bound::Postponed => "postponed events",
            Bound::Inserted => "inserted events",
            Bound::EnterRepeats => "repeated enter calls",
        })
    }
}

/// What a panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> Arc<str> {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        Arc::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        Arc::from(text.as_str())
    } else {
        Arc::from("a panic without a message")
    }
}
