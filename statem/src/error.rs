//! What a caller or a sender is told when it gets no answer.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use crate::reason::{Bound, ExitReason};

/// Why a call has no value. A call ends in exactly one of these or in its value (N50).
///
/// `E` is the machine's own error, given by [`Reply::fail`](crate::Reply::fail); a call whose reply
/// is a plain `Reply<T>` cannot fail that way. This is an [`Error`] if `E` is one, and passes `?` into
/// a `Box<dyn Error>` then: give a reply a type that says what went wrong rather than a text.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The machine answered with an error of its own.
    Failed(E),
    /// The limit passed before the answer came.
    TimedOut {
        /// The machine.
        machine: &'static str,
        /// Whether a handler had consumed the request: `false` is a proof that none ever will
        /// (N51). A machine that keeps abandoned requests will still handle one that is in its
        /// mailbox, so there it is `true` from then on.
        begun: bool,
    },
    /// There was no room, and the request was not handled.
    Full {
        /// The machine.
        machine: &'static str,
        /// Where there was no room.
        what: Bound,
    },
    /// A handler consumed the request and dropped its [`Reply`](crate::Reply) unanswered.
    NotAnswered {
        /// The machine.
        machine: &'static str,
        /// The state the machine was in; `None` if the reply was dropped outside of a machine's
        /// transition.
        state: Option<&'static str>,
    },
    /// The handler said that the request is not expected in this state.
    Unexpected {
        /// The machine.
        machine: &'static str,
        /// The state the machine was in.
        state: &'static str,
    },
    /// The machine failed and is being started again by its supervisor, before a handler had the
    /// request: it has not run, and may be sent again (N76).
    Restarting {
        /// The machine.
        machine: &'static str,
    },
    /// The machine ended before it answered.
    Stopped {
        /// The machine.
        machine: &'static str,
        /// Why it ended.
        reason: ExitReason,
        /// Whether a handler had consumed the request.
        begun: bool,
    },
}

impl<E> CallError<E> {
    /// Whether a handler may have acted on the request: `false` only if no handler has consumed it
    /// and none ever will, so that it is safe to send again (N50).
    ///
    /// A machine that answers with an error of its own has had the request; whether it acted on it
    /// is for that error to say, as a client can by `net::Link::is_handed`.
    ///
    /// ```
    /// use statem::{Bound, CallError};
    ///
    /// let full: CallError = CallError::Full { machine: "Client", what: Bound::Mailbox };
    /// assert!(!full.may_have_run());
    /// assert!(CallError::Failed("no such key").may_have_run());
    /// ```
    pub fn may_have_run(&self) -> bool {
        match self {
            CallError::Failed(_) | CallError::NotAnswered { .. } | CallError::Unexpected { .. } => {
                true
            }
            CallError::TimedOut { begun, .. } | CallError::Stopped { begun, .. } => *begun,
            CallError::Full { .. } | CallError::Restarting { .. } => false,
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ran = |begun: &bool| {
            if *begun {
                "the request may have run"
            } else {
                "the request has not run"
            }
        };
        match self {
            CallError::Failed(error) => error.fmt(f),
            CallError::TimedOut { machine, begun } => {
                write!(
                    f,
                    "`{machine}` did not answer within the limit; {}",
                    ran(begun)
                )
            }
            CallError::Full { machine, what } => {
                write!(
                    f,
                    "`{machine}` has reached its bound of {what}; the request has not run, try again later"
                )
            }
            CallError::NotAnswered {
                machine,
                state: Some(state),
            } => {
                write!(
                    f,
                    "`{machine}` dropped the reply unanswered in state `{state}`"
                )
            }
            CallError::NotAnswered {
                machine,
                state: None,
            } => {
                write!(f, "the reply of `{machine}` was dropped unanswered")
            }
            CallError::Unexpected { machine, state } => {
                write!(
                    f,
                    "`{machine}` does not expect this request in state `{state}`"
                )
            }
            CallError::Restarting { machine } => {
                write!(
                    f,
                    "`{machine}` has failed and is being restarted; the request has not run, try again later"
                )
            }
            CallError::Stopped {
                machine,
                reason,
                begun,
            } => {
                write!(f, "`{machine}` has stopped: {reason}; {}", ran(begun))
            }
        }
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CallError::Failed(error) => error.source(),
            CallError::Stopped {
                reason: ExitReason::Other(error),
                ..
            } => Some(&**error),
            _ => None,
        }
    }
}

/// A function that was given to a running machine panicked, or what shows its values did; the machine
/// lives on. What [`Handle::replace`](crate::Handle::replace) and
/// [`Handle::inspect_values`](crate::Handle::inspect_values) fail with.
#[cfg(feature = "tokio")]
#[derive(Clone, Debug)]
pub struct Panic(pub(crate) String);

#[cfg(feature = "tokio")]
impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "tokio")]
impl Error for Panic {}

/// A cast that was not sent, with the event given back.
///
/// ```
/// use std::error::Error;
/// use statem::{CastError, CastErrorKind, ExitReason};
///
/// let kind = CastErrorKind::Stopped(ExitReason::other("the disk is gone"));
/// let error = CastError { event: 7, kind };
/// assert_eq!(error.source().unwrap().to_string(), "the disk is gone");
/// assert_eq!(error.into_event(), 7);
/// ```
pub struct CastError<Event> {
    /// The event, as it was.
    pub event: Event,
    /// Why it was not sent.
    pub kind: CastErrorKind,
}

/// Why a cast was not sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CastErrorKind {
    /// The mailbox is full, or others wait for room in it.
    Full,
    /// The machine failed and is being started again by its supervisor (N77).
    Restarting,
    /// The machine has ended.
    Stopped(ExitReason),
}

impl fmt::Display for CastErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CastErrorKind::Full => f.write_str("the mailbox is full; the event was not sent"),
            CastErrorKind::Restarting => {
                f.write_str("the machine is being restarted; the event was not sent")
            }
            CastErrorKind::Stopped(reason) => write!(
                f,
                "the machine has stopped: {reason}; the event was not sent"
            ),
        }
    }
}

impl Error for CastErrorKind {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CastErrorKind::Stopped(ExitReason::Other(error)) => Some(&**error),
            _ => None,
        }
    }
}

impl<Event> fmt::Debug for CastError<Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CastError")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl<Event> fmt::Display for CastError<Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl<Event> CastError<Event> {
    /// Gives the event back.
    pub fn into_event(self) -> Event {
        self.event
    }
}

impl<Event> Error for CastError<Event> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}
