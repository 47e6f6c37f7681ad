//! [`Accept`]: where connections come from.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::net::Io;

/// A listening socket, or whatever else gives connections: a network that a test simulates, or one
/// with a proxy in front of it whose first line says who the peer is.
///
/// tokio's `TcpListener` and `UnixListener` are ones; the former sets `TCP_NODELAY` on what it
/// accepts.
///
/// ```
/// use std::io;
/// use statem::net::{Accept, Accepted};
///
/// /// Gives pipes in memory, the other ends of which nobody has.
/// struct Nobody;
///
/// impl Accept for Nobody {
///     async fn accept(&self) -> io::Result<Accepted> {
///         let (near, _) = tokio::io::duplex(64);
///         Ok(Accepted { io: Box::new(near), peer: None })
///     }
/// }
/// ```
pub trait Accept: Send + Sync + 'static {
    /// Waits for the next connection. A server with several acceptors waits several times at once.
    ///
    /// Dropping the future gives up, which the server does only when it ends or is shut down. It should
    /// lose no connection by it, unless it has begun to talk with the peer.
    ///
    /// An error that says that a connection was [aborted](io::ErrorKind::ConnectionAborted) or reset
    /// is about that connection alone, and the server goes on at once; after any other one it waits.
    /// A panic ends the server (N39).
    fn accept(&self) -> impl Future<Output = io::Result<Accepted>> + Send;
}

/// A connection that was accepted.
pub struct Accepted {
    /// Its bytes.
    pub io: Box<dyn Io>,
    /// The peer's address, where it has one that says something.
    pub peer: Option<SocketAddr>,
}

impl Accept for TcpListener {
    async fn accept(&self) -> io::Result<Accepted> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // A peer that has gone already is found out by who reads.
        let _ = stream.set_nodelay(true);
        Ok(Accepted {
            io: Box::new(stream),
            peer: Some(peer),
        })
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    async fn accept(&self) -> io::Result<Accepted> {
        let (stream, _) = tokio::net::UnixListener::accept(self).await?;
        Ok(Accepted {
            io: Box::new(stream),
            peer: None,
        })
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Whether it is about one connection, and says nothing of the next.
pub(super) fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused
    )
}
