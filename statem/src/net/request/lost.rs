//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::net::{CloseReason, ConnectError};

/// Why there is no connection, or why this one is given up.
///
/// It is shared: every request that was on the connection is told the same one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Lost {
    /// There was none yet.
    NotYet,
    /// It could not be made.
    Connect(ConnectError),
    /// The handshake took longer than this.
    HandshakeTimeout(Duration),
    /// The handshake failed; another attempt may do better.
    Handshake(Box<dyn Error + Send + Sync>),
    /// The peer refuses this client, as for a wrong password: another attempt will do no better.
    Refused(Box<dyn Error + Send + Sync>),
    /// It ended.
    Closed(CloseReason),
    /// The oldest request was not answered for this long.
    Unresponsive(Duration),
    /// The peer sent what the protocol does not allow: nothing that follows can be trusted.
    Protocol(Box<dyn Error + Send + Sync>),
    /// What the protocol wanted to say of its own accord, such as the answer to a ping, cannot be
    /// written by its codec: none of the peer's faults.
    Unwritable(Box<dyn Error + Send + Sync>),
    /// The peer had announced that it ends it, and time for the rest was over.
    Drained,
    /// Another one was asked for, and time for the rest of this one was over.
    Replaced,
    /// It had reached its greatest age, and time for the rest was over.
    Lifetime,
    /// The client ends.
    Stopping,
}

impl Lost {
    /// Whether the peer broke the protocol: by a frame that may not come, by bytes that are no
    /// frame, or by a frame over the limit.
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        matches!(
            self,
            Lost::Protocol(_) | Lost::Closed(CloseReason::Garbage(_) | CloseReason::TooLong { .. })
        )
    }

    /// Whether another attempt will fare no better.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Lost::Refused(_))
    }

    /// What cannot be written in a handshake is a handshake that failed.
    pub(in crate::net) fn in_handshake(self) -> Self {
        match self {
            Lost::Unwritable(error) => Lost::Handshake(error),
            other => other,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::NotYet => f.write_str("there is no connection yet"),
            Lost::Connect(error) => error.fmt(f),
            Lost::HandshakeTimeout(limit) => {
                write!(f, "the handshake was not finished within {limit:?}")
            }
            Lost::Handshake(error) => write!(f, "the handshake failed: {error}"),
            Lost::Refused(error) => write!(f, "the peer refuses this client: {error}"),
            Lost::Closed(reason) => reason.fmt(f),
            Lost::Unresponsive(limit) => write!(
                f,
                "the connection was given up: the oldest request was not answered for {limit:?}"
            ),
            Lost::Protocol(error) => write!(f, "the peer broke the protocol: {error}"),
            Lost::Unwritable(error) => {
                write!(f, "what the protocol had to say cannot be written: {error}")
            }
            Lost::Drained => f.write_str("the peer had announced the end of the connection"),
            Lost::Replaced => f.write_str("the connection was replaced"),
            Lost::Lifetime => f.write_str("the connection had reached its greatest age"),
            Lost::Stopping => f.write_str("the client stops"),
        }
    }
}

impl Error for Lost {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Lost::Connect(error) => error.source(),
            Lost::Handshake(error)
            | Lost::Refused(error)
            | Lost::Protocol(error)
            | Lost::Unwritable(error) => Some(&**error),
            Lost::Closed(reason) => reason.source(),
            _ => None,
        }
    }
}
