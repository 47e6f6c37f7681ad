//! Why a connection ended, and why an item was not sent.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// Why a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed its side between two frames, as far as the link can know: a codec that takes
    /// a frame's head out of the buffer has to say itself, in `decode_eof`, that the rest is
    /// missing.
    ///
    /// A peer may close its side and go on to read. What waits to be written is written first, as
    /// far as it goes; a machine that does not want to wait for that long sets itself a timeout. An
    /// answer that is not sent by then comes too late: where answers take time, as those of a task,
    /// [pause](super::Link::pause) the link with the question, which keeps the end back as well, and
    /// [resume](super::Link::resume) it with the answer.
    End,
    /// The peer closed it within a frame.
    Cut {
        /// The bytes of the frame that had come and were not taken by the codec.
        received: usize,
    },
    /// The peer sent more than the limit of a frame without completing one.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The peer sent what is not a frame.
    Garbage(Box<dyn Error + Send + Sync>),
    /// Reading failed.
    Read(io::Error),
    /// Writing failed.
    Write(io::Error),
    /// The peer accepted no byte for as long as
    /// [`LinkConfig::write_timeout`](super::LinkConfig::write_timeout) says.
    WriteTimeout {
        /// The limit.
        limit: Duration,
    },
    /// After [`Link::close`](super::Link::close) the peer did not read the rest, or did not close
    /// its side, in time.
    CloseTimeout {
        /// The limit.
        limit: Duration,
    },
}

/// Why an item was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError<Item, E> {
    /// The write buffer is over its high-water mark. The item comes back.
    Full(Item),
    /// The connection has ended, or the link [says goodbye](super::Link::close);
    /// [`LinkEvent::Closed`](super::LinkEvent::Closed) is on its way or has been handled. The item
    /// comes back.
    Closed(Item),
    /// The codec could not encode it. Nothing of it was sent.
    Codec(E),
}

/// Why a link did not give its byte stream away; see [`Link::upgrade`](super::Link::upgrade).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The connection has ended, or is about to.
    Closed,
    /// The peer has sent more than was handled. On a stream that is to be secured, this is an attack
    /// or a mistake of the peer: end the connection.
    Unread {
        /// So many bytes.
        bytes: usize,
    },
    /// The transport did not accept all that was sent.
    Unsent {
        /// So many bytes are left; 0 if it holds some back itself.
        bytes: usize,
    },
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseReason::End => f.write_str("the peer closed the connection"),
            CloseReason::Cut { received } => {
                write!(
                    f,
                    "the peer closed the connection within a frame, after {received} bytes of it"
                )
            }
            CloseReason::TooLong { limit } => write!(
                f,
                "the peer sent more than {limit} bytes without a complete frame"
            ),
            CloseReason::Garbage(error) => write!(f, "the peer sent what is not a frame: {error}"),
            CloseReason::Read(error) => write!(f, "reading failed: {error}"),
            CloseReason::Write(error) => write!(f, "writing failed: {error}"),
            CloseReason::WriteTimeout { limit } => {
                write!(f, "the peer accepted no byte for {limit:?}")
            }
            CloseReason::CloseTimeout { limit } => {
                write!(f, "the peer did not close the connection within {limit:?}")
            }
        }
    }
}

impl Error for CloseReason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CloseReason::Garbage(error) => Some(&**error),
            CloseReason::Read(error) | CloseReason::Write(error) => Some(error),
            _ => None,
        }
    }
}

impl<Item, E: fmt::Display> fmt::Display for SendError<Item, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Full(_) => {
                f.write_str("the write buffer is full: the peer reads too slowly")
            }
            SendError::Closed(_) => f.write_str("the connection has ended"),
            SendError::Codec(error) => write!(f, "the item could not be encoded: {error}"),
        }
    }
}

impl<Item: fmt::Debug, E: Error> Error for SendError<Item, E> {}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpgradeError::Closed => f.write_str("the connection has ended"),
            UpgradeError::Unread { bytes } => write!(
                f,
                "the peer sent {bytes} bytes before the upgrade that were not handled; they must \
                 not pass for what comes after it"
            ),
            UpgradeError::Unsent { bytes } => write!(
                f,
                "the transport has not accepted all that was sent before the upgrade, {bytes} bytes \
                 are left; try again later"
            ),
        }
    }
}

impl Error for UpgradeError {}
