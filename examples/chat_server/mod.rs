//! A chat that people join with `nc`, made with statem: one machine a connection, one machine a room.
//!
//! Read [`machine`] first, the session of one member; then [`room`]. [`codec`] and [`command`] are how
//! bytes become what a member wants, [`names`] is why no two have the same name, [`visitor`] is what a
//! session has in every state. [`guest`], [`story`] and [`crowd`] are the example around them: members
//! of its own, and many of them.
//!
//! A room is a machine of its own, so that its lines have one order, that of its mailbox, and are the
//! same for all its members; and so that a busy room takes time from no other. It is found by name, in
//! a [`Registry`], and lives as long as somebody has its handle: there is nobody who would have to
//! count its members. Names need no machine: one is taken or not, and is free again with the state
//! that holds it.
//!
//! Who reads slowly misses lines and is told how many; see [`room`] for the bounds. Who says more
//! than a room passes on is not read from meanwhile.

pub mod arguments;
pub mod codec;
pub mod command;
pub mod crowd;
pub mod guest;
pub mod machine;
pub mod names;
pub mod room;
pub mod story;
pub mod visitor;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use statem::net::{Accept, Accepted, AtLimit, Server, ServerBuilder};
use statem::{Builder, Registry};
use tokio::net::{TcpListener, TcpSocket};

use machine::{Arrived, ChatSession};
use names::Names;
use room::Room;
use visitor::Visitor;

/// A peer that sends no byte for so long is cut off.
pub const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long members have to hear the goodbye when the server ends.
pub const DRAIN: Duration = Duration::from_secs(5);

/// What the operating system keeps for one reader, in bytes: it counts among what a slow reader costs,
/// and without a limit it may be megabytes.
const SEND_BUFFER: u32 = 16 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A line that is said to many.
pub type Line = Arc<str>;

/// What all sessions of a server have in common.
#[derive(Clone, Default)]
pub struct Chat {
    /// The names that are taken.
    pub names: Names,
    /// The rooms in which somebody is.
    pub rooms: Registry<Line, Room>,
    numbers: Arc<AtomicU64>,
}

impl Chat {
    /// A server of this chat, to be started.
    ///
    /// A connection above its limit is closed at once, which a person understands sooner than silence.
    pub fn server(&self, listener: impl Accept) -> ServerBuilder {
        let chat = self.clone();
        let server = Server::builder(listener, move |accepted: Accepted| {
            let visitor = Visitor::new(chat.clone(), accepted.peer);
            Builder::<ChatSession>::new().build(Arrived::new(accepted.io), visitor)
        });
        server.at_limit(AtLimit::Refuse).idle_timeout(IDLE)
    }

    /// A number that nobody else has.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// Listens on this address, with a bound on what the operating system keeps for each reader.
///
/// # Errors
///
/// Those of the operating system.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    // What is accepted inherits it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
