//! [`Watched`]: a byte stream that counts, and does not wait for ever for a silent peer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::net::Io;

/// The bytes of a connection so far, below TLS.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
}

pub(super) struct Watched {
    io: Box<dyn Io>,
    traffic: Arc<Traffic>,
    silence: Option<Silence>,
}

/// Looks from time to time whether the peer has sent anything: a byte that comes costs no clock and
/// no timer.
struct Silence {
    limit: Duration,
    heard: bool,
    until: Pin<Box<Sleep>>,
}

impl Watched {
    pub(super) fn new(io: Box<dyn Io>, traffic: Arc<Traffic>, idle: Option<Duration>) -> Self {
        Watched {
            io,
            traffic,
            silence: idle.map(|limit| Silence {
                limit,
                heard: false,
                until: Box::pin(tokio::time::sleep(limit)),
            }),
        }
    }

    fn sent(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = written {
            let count = *count as u64;
            self.traffic.sent.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl Silence {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.until.as_mut().poll(cx).is_ready() {
            if !self.heard {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("the peer has sent nothing for {:?}", self.limit),
                )));
            }
            self.heard = false;
            self.until.set(tokio::time::sleep(self.limit));
        }
        Poll::Pending
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let received = (buffer.filled().len() - before) as u64;
        match &mut self.silence {
            Some(silence) if polled.is_pending() => return silence.poll(cx),
            Some(silence) => silence.heard = true,
            None => {}
        }
        self.traffic.received.fetch_add(received, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.sent(&written);
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
        self.sent(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
