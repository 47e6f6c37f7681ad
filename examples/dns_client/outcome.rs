//! What callers get.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use statem::net::RequestError;

use super::message::{Code, Message};

/// An answer, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the server says: that all is well, or that there is no such name.
    pub message: Message,
    /// Which server.
    pub server: SocketAddr,
    /// By which way.
    pub over: Over,
    /// The attempts that it took.
    pub attempts: u32,
}

/// A way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Over {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
}

/// Why there is no answer. A caller gets it as [`CallError::Failed`](statem::CallError::Failed).
#[derive(Clone, Debug)]
pub enum DnsError {
    /// No server has answered; this is what came of the last attempt.
    NoAnswer {
        /// How often somebody was asked.
        attempts: u32,
        /// Who was asked last.
        server: SocketAddr,
        /// What came of it.
        last: Failed,
    },
    /// There are no sockets to be had.
    NoSocket(Arc<io::Error>),
    /// As many questions as may are not answered yet, or there is no id left for another one.
    Busy,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub enum Failed {
    /// Nothing.
    Silence,
    /// The system says that the datagram did not arrive.
    Unreachable(Arc<io::Error>),
    /// The server cannot help.
    Code(Code),
    /// The connection was lost.
    Connection(RequestError),
    /// The server answered what was not asked, over a connection.
    Mismatched,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions that were taken.
    pub asked: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose callers have gone.
    pub given_up: u64,
    /// Datagrams that were sent.
    pub sent: u64,
    /// Answers that came after their query had ended.
    pub late: u64,
    /// Datagrams with an id that nobody has.
    pub stray: u64,
    /// Messages with the id of a query and another question.
    pub mismatched: u64,
    /// Datagrams that are no message.
    pub malformed: u64,
    /// Answers that did not fit into a datagram.
    pub truncated: u64,
    /// Connections that were started.
    pub connections: u64,
    /// Connections that were closed since nothing was asked.
    pub idle: u64,
    /// Connections that ended otherwise.
    pub lost: u64,
    /// Times that the sockets were opened.
    pub opened: u64,
    /// Ids that must not be used at this moment.
    pub quarantined: u64,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Over::Udp => "UDP",
            Over::Tcp => "TCP",
        })
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsError::NoAnswer {
                attempts,
                server,
                last,
            } => write!(
                f,
                "no answer in {attempts} attempts, the last one to {server}: {last}"
            ),
            DnsError::NoSocket(error) => write!(f, "there is no socket: {error}"),
            DnsError::Busy => f.write_str("too many questions are not answered yet"),
        }
    }
}

impl Error for DnsError {}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Silence => f.write_str("it is silent"),
            Failed::Unreachable(error) => error.fmt(f),
            Failed::Code(code) => code.fmt(f),
            Failed::Connection(error) => error.fmt(f),
            Failed::Mismatched => f.write_str("it answers what was not asked"),
        }
    }
}
