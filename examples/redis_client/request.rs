//! What callers ask, what they get, and the table of those who wait.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use statem::Reply;
use statem::net::{CloseReason, Link, Mark};

use super::codec::resp::{Frame, Resp};

/// A command with its arguments, as Redis wants it: an array of strings.
#[must_use]
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Frame {
    let data = words
        .into_iter()
        .map(|word| blob(Bytes::copy_from_slice(word.as_bytes())))
        .collect();
    Frame::Array {
        data,
        attributes: None,
    }
}

/// A string of bytes.
#[must_use]
pub fn blob(data: Bytes) -> Frame {
    Frame::BlobString {
        data,
        attributes: None,
    }
}

/// What Redis answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// There is no such key.
    Nil,
    /// A number, as of `INCR`.
    Number(i64),
    /// Bytes, as of `GET`, or a short text such as `OK`.
    Data(Bytes),
    /// Something that this client does not take apart.
    Other(Frame),
}

impl Value {
    /// Sorts a reply: a value, or the server's own error.
    pub(super) fn from_reply(frame: Frame) -> Result<Value, RequestError> {
        match frame {
            Frame::Null => Ok(Value::Nil),
            Frame::Number { data, .. } => Ok(Value::Number(data)),
            Frame::BlobString { data, .. } | Frame::SimpleString { data, .. } => {
                Ok(Value::Data(data))
            }
            Frame::SimpleError { data, .. } => Err(RequestError::Server(data.to_string())),
            Frame::BlobError { data, .. } => Err(RequestError::Server(
                String::from_utf8_lossy(&data).into_owned(),
            )),
            other => Ok(Value::Other(other)),
        }
    }
}

/// Why a request failed, in the client's own words. A caller gets it as
/// [`CallError::Failed`](statem::CallError::Failed), beside the failures that every call may have,
/// such as its limit.
#[derive(Clone, Debug)]
pub enum RequestError {
    /// The connection was lost before any byte of the request left: it has not run, and is safe to
    /// send again.
    NotSent(Arc<Lost>),
    /// The connection was lost while the request was on its way: nobody can know whether it has
    /// run.
    Unknown(Arc<Lost>),
    /// There is no connection, and this client refuses requests meanwhile.
    NotConnected,
    /// As many requests as allowed are in flight, and this client refuses more.
    Busy,
    /// The request cannot be written in the protocol.
    Invalid(String),
    /// The server answered with an error.
    Server(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::NotSent(lost) => write!(f, "not sent: {lost}"),
            RequestError::Unknown(lost) => write!(f, "may or may not have run: {lost}"),
            RequestError::NotConnected => f.write_str("not connected"),
            RequestError::Busy => f.write_str("too many requests in flight"),
            RequestError::Invalid(why) => write!(f, "not a command: {why}"),
            RequestError::Server(text) => write!(f, "the server says: {text}"),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RequestError::NotSent(lost) | RequestError::Unknown(lost) => Some(&**lost),
            _ => None,
        }
    }
}

/// Why there is no connection (any more).
#[derive(Debug)]
pub enum Lost {
    /// Dialling failed.
    Refused(std::io::Error),
    /// Dialling took too long.
    ConnectTimeout(Duration),
    /// The server did not greet back in time.
    HandshakeTimeout(Duration),
    /// The server did not accept the greeting.
    Handshake(String),
    /// The connection ended.
    Closed(CloseReason),
    /// The oldest request in flight was not answered in time.
    Unresponsive(Duration),
    /// A reply came that nobody had asked for: from here on no reply could be trusted.
    Stray,
    /// The client itself ends.
    Stopping,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Refused(error) => write!(f, "dialling failed: {error}"),
            Lost::ConnectTimeout(limit) => write!(f, "dialling took longer than {limit:?}"),
            Lost::HandshakeTimeout(limit) => write!(f, "no greeting within {limit:?}"),
            Lost::Handshake(why) => write!(f, "the greeting was refused: {why}"),
            Lost::Closed(closed) => closed.fmt(f),
            Lost::Unresponsive(limit) => write!(f, "no answer within {limit:?}"),
            Lost::Stray => f.write_str("a reply came that nobody had asked for"),
            Lost::Stopping => f.write_str("the client was stopped"),
        }
    }
}

impl Error for Lost {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Lost::Refused(error) => Some(error),
            Lost::Closed(closed) => Some(closed),
            _ => None,
        }
    }
}

/// The requests that were sent and not answered, oldest first. Redis answers in order, so the reply
/// that comes belongs to the oldest.
///
/// A request whose caller has gone keeps its place: its reply comes all the same, and must not be
/// taken for that of the next one.
#[derive(Debug, Default)]
pub struct InFlight {
    requests: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    reply: Reply<Value, RequestError>,
    /// Where the request begins in all that was sent, to tell at the end whether it left.
    mark: Mark,
}

impl InFlight {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn push(&mut self, reply: Reply<Value, RequestError>, mark: Mark) {
        self.requests.push_back(Pending { reply, mark });
    }

    /// Answers the oldest request. False if there is none: the frame is one too many.
    pub(super) fn answer(&mut self, frame: Frame) -> bool {
        let Some(Pending { reply, .. }) = self.requests.pop_front() else {
            return false;
        };
        // An answer that reaches nobody is dropped: its caller has gone.
        match Value::from_reply(frame) {
            Ok(value) => drop(reply.send(value)),
            Err(error) => drop(reply.fail(error)),
        }
        true
    }

    /// The connection has ended: answers everybody, oldest first, with what is known of his
    /// request. This is the only place where that is decided.
    pub(super) fn fail_all(&mut self, link: &Link<Resp>, lost: &Arc<Lost>) {
        for Pending { reply, mark } in self.requests.drain(..) {
            let error = if link.is_handed(mark) {
                RequestError::Unknown(lost.clone())
            } else {
                RequestError::NotSent(lost.clone())
            };
            drop(reply.fail(error));
        }
    }
}
