//! The bytes of a link: what is read, what is written, and how long either may take.

use std::io;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::Sleep;
use tokio_util::io::poll_write_buf;

use super::super::error::CloseReason;
use super::{Io, LinkConfig};

/// Bytes that are read at once: what a burst of answers comes in, or a record of TLS.
const SEGMENT: usize = 16 * 1024;
/// Bytes that an empty write buffer may keep.
const KEPT: usize = 8 * 1024;

/// A byte stream with its buffers. It knows no codec.
pub(super) struct Transport {
    /// `None` when it is closed.
    pub(super) io: Option<Box<dyn Io>>,
    pub(super) config: LinkConfig,
    pub(super) received: BytesMut,
    pub(super) unsent: BytesMut,
    /// Bytes ever encoded; those not in `unsent` were handed to the transport.
    pub(super) encoded: u64,
    /// Whether the transport may hold bytes back until it is flushed.
    unflushed: bool,
    /// Writing failed. What was received before is still delivered first (N82).
    pub(super) failed: Option<io::Error>,
    /// The peer has closed its side.
    pub(super) ended: bool,
    /// The link gave up: what was received is still delivered, then this.
    pub(super) over: Option<CloseReason>,
    /// The end was told, or the bytes went elsewhere: nothing more comes.
    pub(super) told: bool,
    pub(super) room: Room,
    /// Paused, with so many frames asked for.
    pub(super) paused: Option<usize>,
    closing: Option<Closing>,
    /// Runs while the transport accepts nothing.
    blocked: Option<Pin<Box<Sleep>>>,
    /// Bytes that it had accepted when that was last looked at.
    accepted: u64,
}

/// What a sender that was refused waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Nobody was refused.
    Unasked,
    /// Somebody was.
    Awaited,
    /// There is room again, and it is to be told.
    Due,
}

/// The link says goodbye.
struct Closing {
    within: Duration,
    limit: Limit,
    /// The write side is shut.
    shut: bool,
}

/// The time that is left. It begins to run when it is first looked at.
enum Limit {
    Unset,
    /// `None` without a runtime: there nobody measures time.
    Set(Option<Pin<Box<Sleep>>>),
}

impl Transport {
    pub(super) fn new(io: Box<dyn Io>, config: LinkConfig) -> Self {
        Transport {
            io: Some(io),
            ..Self::gone(config)
        }
    }

    /// The place of a transport that went elsewhere.
    pub(super) fn gone(config: LinkConfig) -> Self {
        Transport {
            io: None,
            config,
            received: BytesMut::new(),
            unsent: BytesMut::new(),
            encoded: 0,
            unflushed: false,
            failed: None,
            ended: false,
            over: None,
            told: false,
            room: Room::Unasked,
            paused: None,
            closing: None,
            blocked: None,
            accepted: 0,
        }
    }

    /// Whether items are taken.
    pub(super) fn is_open(&self) -> bool {
        self.io.is_some() && self.failed.is_none() && self.over.is_none() && self.closing.is_none()
    }

    /// Whether there is something to write, and it can be.
    pub(super) fn is_writing(&self) -> bool {
        let waits = self.unflushed
            || !self.unsent.is_empty()
            || self.closing.as_ref().is_some_and(|closing| !closing.shut);
        waits && self.io.is_some() && self.failed.is_none()
    }

    /// Whether there is something to tell that does not have to be read.
    pub(super) fn has_news(&self) -> bool {
        let ended = self.ended && !self.is_writing();
        !self.told
            && (ended || self.room == Room::Due || self.failed.is_some() || self.over.is_some())
    }

    /// Says goodbye within this time, or within another one than before.
    pub(super) fn close(&mut self, within: Duration) {
        let shut = self.closing.take().is_some_and(|closing| closing.shut);
        self.closing = Some(Closing {
            within,
            limit: Limit::Unset,
            shut,
        });
        self.paused = None;
    }

    /// Writes what the transport accepts, and looks at the limits. Gives the byte stream back if
    /// one of them has passed: its drop is foreign code, and the socket is locked here.
    #[must_use]
    pub(super) fn work(&mut self, cx: &mut Context<'_>) -> Option<Box<dyn Io>> {
        self.io.as_ref()?;
        if self.is_writing() {
            match self.write(cx) {
                Poll::Ready(Ok(())) => self.blocked = None,
                Poll::Ready(Err(error)) => {
                    self.blocked = None;
                    self.failed = Some(error);
                }
                Poll::Pending => self.watch(cx),
            }
            if self.room == Room::Awaited && self.unsent.len() <= self.config.high_water / 2 {
                self.room = Room::Due;
            }
        }
        if let Some(closing) = &mut self.closing {
            if self.over.is_none() && closing.limit.has_passed(closing.within, cx) {
                self.over = Some(CloseReason::CloseTimeout {
                    limit: closing.within,
                });
            }
        }
        if self.over.is_some() {
            self.io.take()
        } else {
            None
        }
    }

    /// Writes and flushes all; shuts the write side if the link closes.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(io) = &mut self.io else {
            return Poll::Ready(Ok(()));
        };
        let waited = self.unsent.len();
        while !self.unsent.is_empty() {
            match poll_write_buf(Pin::new(io), cx, &mut self.unsent) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(_)) => self.unflushed = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if waited > KEPT {
            // After a burst the link shrinks again.
            self.unsent = BytesMut::new();
        }
        if self.unflushed {
            match Pin::new(&mut *io).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                other => return other,
            }
        }
        if let Some(closing) = self.closing.as_mut().filter(|closing| !closing.shut) {
            match Pin::new(io).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => closing.shut = true,
                other => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The transport accepts nothing more: for how long it may.
    fn watch(&mut self, cx: &mut Context<'_>) {
        let Some(limit) = self.config.write_timeout else {
            return;
        };
        // TLS takes all at once, and what it has taken leaves bit by bit.
        let below = self.io.as_ref().and_then(super::Io::accepted);
        let accepted = below.unwrap_or(self.encoded - self.unsent.len() as u64);
        let progressed = mem::replace(&mut self.accepted, accepted) != accepted;
        match &mut self.blocked {
            None => self.blocked = sleep(limit),
            Some(sleep) if progressed => sleep.set(tokio::time::sleep(limit)),
            Some(_) => {}
        }
        let passed = self.blocked.as_mut().map(|sleep| sleep.as_mut().poll(cx));
        if let Some(Poll::Ready(())) = passed {
            self.over = Some(CloseReason::WriteTimeout { limit });
        }
    }

    /// Reads once; the number of bytes, 0 at the end. A link that waits keeps no buffer for what
    /// may come.
    pub(super) fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(io) = &mut self.io else {
            return Poll::Ready(Ok(0));
        };
        let mut space = [MaybeUninit::uninit(); SEGMENT];
        let mut segment = ReadBuf::uninit(&mut space);
        match Pin::new(io).poll_read(cx, &mut segment) {
            Poll::Ready(Ok(())) => {
                self.received.extend_from_slice(segment.filled());
                Poll::Ready(Ok(segment.filled().len()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.received.is_empty() {
                    self.received = BytesMut::new();
                }
                Poll::Pending
            }
        }
    }

    /// The end is told, or the link dropped. What is in the write buffer stays, so that
    /// [`Link::is_handed`](super::Link::is_handed) knows.
    #[must_use]
    pub(super) fn end(&mut self) -> Option<Box<dyn Io>> {
        self.told = true;
        self.received = BytesMut::new();
        self.blocked = None;
        self.closing = None;
        self.io.take()
    }
}

impl Limit {
    fn has_passed(&mut self, within: Duration, cx: &mut Context<'_>) -> bool {
        if let Limit::Unset = self {
            *self = Limit::Set(sleep(within));
        }
        match self {
            Limit::Set(Some(sleep)) => sleep.as_mut().poll(cx).is_ready(),
            _ => false,
        }
    }
}

/// On a bench there may be no runtime; then its limits do not pass.
fn sleep(limit: Duration) -> Option<Pin<Box<Sleep>>> {
    let runtime = Handle::try_current().ok();
    runtime.map(|_| Box::pin(tokio::time::sleep(limit)))
}
