//! Datagrams: a socket for each server, and what comes in as a stream.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use statem::net::{Connector, IoFuture};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// The longest datagram that is taken whole. Without an extension that says otherwise a server sends
/// at most 512 bytes (RFC 1035, 4.2.1).
const LONGEST: usize = 4096;

/// Sockets of the operating system, or of a test.
pub trait Network: Send + 'static {
    /// A socket that exchanges datagrams with this server and with nobody else, on a port that was
    /// not used just before.
    fn datagrams(&self, server: SocketAddr) -> IoFuture<Arc<dyn Datagrams>>;

    /// How to connect to this server.
    fn connector(&self, server: SocketAddr) -> Connector;
}

/// A socket that exchanges datagrams with one server.
pub trait Datagrams: Send + Sync {
    /// Sends a datagram, or loses it: whoever sends one must not rely on its arrival anyway, so
    /// having no room now is no error.
    ///
    /// # Errors
    ///
    /// Those of the system, which may be about an earlier one.
    fn send(&self, datagram: &[u8]) -> io::Result<()>;

    /// Waits for a datagram.
    ///
    /// # Errors
    ///
    /// Those of the system: above all, that nobody listens where one was sent to.
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
}

/// The sockets of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Network for System {
    fn datagrams(&self, server: SocketAddr) -> IoFuture<Arc<dyn Datagrams>> {
        Box::pin(async move {
            let any: SocketAddr = if server.is_ipv4() {
                (Ipv4Addr::UNSPECIFIED, 0).into()
            } else {
                (Ipv6Addr::UNSPECIFIED, 0).into()
            };
            let socket = UdpSocket::bind(any).await?;
            // Connected, the system drops what anybody else sends, and tells when nobody listens.
            socket.connect(server).await?;
            // Until tokio has seen once that there is room, it sends nothing without waiting.
            socket.writable().await?;
            Ok(Arc::new(socket) as Arc<dyn Datagrams>)
        })
    }

    fn connector(&self, server: SocketAddr) -> Connector {
        Connector::new(server)
    }
}

impl Datagrams for UdpSocket {
    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self.try_send(datagram) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_recv(cx, buffer)
    }
}

/// What comes in, for as long as somebody listens. An error is an item: the next datagram may be
/// better.
pub struct Incoming {
    socket: Arc<dyn Datagrams>,
    buffer: Vec<u8>,
}

impl Incoming {
    /// What comes in on this socket.
    #[must_use]
    pub fn new(socket: Arc<dyn Datagrams>) -> Self {
        Incoming {
            socket,
            buffer: vec![0; LONGEST],
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Incoming { socket, buffer } = self.get_mut();
        let mut buffer = ReadBuf::new(buffer);
        let received = ready!(socket.poll_receive(cx, &mut buffer));
        Poll::Ready(Some(received.map(|()| buffer.filled().to_vec())))
    }
}
