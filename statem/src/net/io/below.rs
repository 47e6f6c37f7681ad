//! The stream below TLS, which counts what it accepts: TLS takes more at once.

use std::any::Any;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{client, server};

use super::Io;

/// The stream below TLS.
pub(in crate::net) struct Counted {
    io: Box<dyn Io>,
    /// Bytes that it has accepted.
    accepted: u64,
}

/// How many bytes the stream below TLS has accepted, if this is TLS.
pub(super) fn accepted_below(io: &dyn Any) -> Option<u64> {
    let client = io.downcast_ref::<client::TlsStream<Counted>>();
    let server = io.downcast_ref::<server::TlsStream<Counted>>();
    let below = match (client, server) {
        (Some(client), _) => client.get_ref().0,
        (None, server) => server?.get_ref().0,
    };
    Some(below.io.accepted().unwrap_or(below.accepted))
}

impl Counted {
    pub(in crate::net) fn new(io: Box<dyn Io>) -> Self {
        Counted { io, accepted: 0 }
    }

    fn count(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written {
            self.accepted += *bytes as u64;
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.count(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        self.count(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
