//! Why a connection ended, and why an item was not sent.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed its side between two frames, as far as the link can know: a codec that takes
    /// a frame's head out of the buffer has to say itself, in `decode_eof`, that the rest is
    /// missing.
    ///
    /// A peer may close its side and go on to read. What waits to be written is written first, as
    /// far as it goes; a machine that does not want to wait for that long sets itself a timeout.
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
}

/// Why an item was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError<Item, E> {
    /// The write buffer is over its high-water mark. The item comes back.
    Full(Item),
    /// The connection has ended; [`LinkEvent::Closed`](super::LinkEvent::Closed) is on its way or
    /// has been handled. The item comes back.
    Closed(Item),
    /// The codec could not encode it. Nothing of it was sent.
    Codec(E),
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
