//! What a caller is told of a request that has no answer.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::Lost;
use crate::{CallError, ExitReason};

/// Why a request has no answer, and above all: whether it may have run.
///
/// A request ends in its answer or in exactly one of these (N50). What is [`NotSent`] has not run
/// and never will, so it is safe to send again. Whatever else may have run: only the application
/// knows whether a second time would do harm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// No byte of it was given to the transport (N80): it has not run and will not.
    NotSent(NotSent),
    /// It was on its way, and nobody can know whether it has run.
    Unknown(Unknown),
    /// It was on its way when the peer broke the protocol, so no answer could be trusted any more;
    /// see [`Lost::is_protocol`].
    Protocol(Arc<Lost>),
    /// The client ended first.
    Stopped {
        /// Why it ended.
        reason: ExitReason,
        /// Whether the client had begun with it; `false` is a proof that it has not run.
        may_have_run: bool,
    },
}

/// Why a request was not sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// There was no connection, and it was not to wait for one.
    Disconnected(Arc<Lost>),
    /// Its limit passed while it waited.
    TimedOut,
    /// As many waited as may.
    QueueFull,
    /// It waited for longest among those that may be dropped, and gave way to another one.
    Displaced,
    /// There was no room on the connection, and it was not to wait for any: as many requests as
    /// allowed were not answered, all ids were taken, or the peer read too slowly.
    Busy,
    /// The client ends and takes no more.
    Stopping,
    /// It cannot be written in the protocol.
    Invalid(Arc<dyn Error + Send + Sync>),
    /// The connection ended before the transport had accepted a byte of it.
    Closed(Arc<Lost>),
}

/// Why it is not known whether a request has run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Unknown {
    /// The connection ended before the answer came.
    Lost(Arc<Lost>),
    /// Its limit passed before the answer came.
    TimedOut,
    /// The client gave it up without a word.
    NotAnswered,
}

impl RequestError {
    /// Whether the request may have run: `false` is a proof that it has not and never will (N80).
    ///
    /// ```
    /// use statem::net::{NotSent, RequestError, Unknown};
    ///
    /// assert!(!RequestError::NotSent(NotSent::QueueFull).may_have_run());
    /// assert!(RequestError::Unknown(Unknown::TimedOut).may_have_run());
    /// ```
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        match self {
            RequestError::NotSent(_) => false,
            RequestError::Unknown(_) | RequestError::Protocol(_) => true,
            RequestError::Stopped { may_have_run, .. } => *may_have_run,
        }
    }

    /// What becomes of a request that was sent on a connection that is gone; `handed` is whether
    /// the transport had accepted a byte of it.
    #[must_use]
    pub fn of_lost(lost: &Arc<Lost>, handed: bool) -> Self {
        if !handed {
            RequestError::NotSent(NotSent::Closed(lost.clone()))
        } else if lost.is_protocol() {
            RequestError::Protocol(lost.clone())
        } else {
            RequestError::Unknown(Unknown::Lost(lost.clone()))
        }
    }
}

/// What a call of the core means for a request: by [`CallError::may_have_run`], but for a machine
/// that has stopped.
impl From<CallError<RequestError>> for RequestError {
    fn from(error: CallError<RequestError>) -> Self {
        match error {
            CallError::Failed(error) => error,
            CallError::TimedOut { begun: false, .. } => RequestError::NotSent(NotSent::TimedOut),
            CallError::TimedOut { begun: true, .. } => RequestError::Unknown(Unknown::TimedOut),
            CallError::Full { .. } => RequestError::NotSent(NotSent::QueueFull),
            // It begins without a connection.
            CallError::Restarting { .. } => {
                RequestError::NotSent(NotSent::Disconnected(Arc::new(Lost::NotYet)))
            }
            CallError::NotAnswered { .. } | CallError::Unexpected { .. } => {
                RequestError::Unknown(Unknown::NotAnswered)
            }
            CallError::Stopped { reason, begun, .. } => RequestError::Stopped {
                reason,
                may_have_run: begun,
            },
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::NotSent(why) => write!(f, "the request was not sent: {why}"),
            RequestError::Unknown(why) => write!(f, "the request may have run: {why}"),
            RequestError::Protocol(lost) => write!(f, "the request may have run: {lost}"),
            RequestError::Stopped {
                reason,
                may_have_run,
            } => {
                let ran = if *may_have_run {
                    "may have run"
                } else {
                    "has not run"
                };
                write!(f, "the request {ran}: the client has stopped: {reason}")
            }
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotSent::Disconnected(lost) => match &**lost {
                // It says so itself.
                Lost::Connect(error) => error.fmt(f),
                lost => write!(f, "not connected: {lost}"),
            },
            NotSent::TimedOut => f.write_str("its limit passed while it waited"),
            NotSent::QueueFull => f.write_str("too many requests wait; try again later"),
            NotSent::Displaced => f.write_str("it gave way to a newer one while it waited"),
            NotSent::Busy => f.write_str("the connection has no room for it; try again later"),
            NotSent::Stopping => f.write_str("the client stops"),
            NotSent::Invalid(error) => write!(f, "it cannot be written: {error}"),
            NotSent::Closed(lost) => lost.fmt(f),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Lost(lost) => lost.fmt(f),
            Unknown::TimedOut => f.write_str("no answer within the limit"),
            Unknown::NotAnswered => f.write_str("the client gave it up unanswered"),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RequestError::NotSent(NotSent::Disconnected(lost) | NotSent::Closed(lost))
            | RequestError::Unknown(Unknown::Lost(lost))
            | RequestError::Protocol(lost) => lost.source(),
            RequestError::NotSent(NotSent::Invalid(error)) => error.source(),
            RequestError::Stopped {
                reason: ExitReason::Other(error),
                ..
            } => Some(&**error),
            _ => None,
        }
    }
}
