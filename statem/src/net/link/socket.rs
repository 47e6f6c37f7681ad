//! What a link and its source share: the transport with its codec. Frames are decoded one at a
//! time, when they can be handled: so what a codec has not been asked for is still bytes.

use std::any::Any;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio_util::codec::Decoder;

use super::super::error::CloseReason;
use super::transport::{Room, Transport};
use super::{Io, LinkEvent};

pub(super) struct Socket<C> {
    pub(super) codec: C,
    pub(super) transport: Transport,
    /// The transport has another codec: the other half of the source, for it to go on with.
    pub(super) moved: Option<Box<dyn Any + Send>>,
}

impl<C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>>> Socket<C> {
    /// The next event; `None` when the link is closed and has said so. Fills `closed` when it
    /// closes: the drop of the byte stream is foreign code, and the socket is locked here.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        closed: &mut Option<Box<dyn Io>>,
    ) -> Poll<Option<LinkEvent<C::Item>>> {
        if self.transport.told {
            return Poll::Ready(None);
        }
        *closed = self.transport.work(cx);
        if self.transport.room == Room::Due {
            self.transport.room = Room::Unasked;
            if self.transport.is_open() {
                return Poll::Ready(Some(LinkEvent::Room));
            }
        }
        if self.transport.paused == Some(0) {
            return Poll::Pending;
        }
        let event = match self.advance(cx) {
            Ok(Some(frame)) => LinkEvent::Frame(frame),
            Ok(None) => return Poll::Pending,
            Err(reason) => {
                *closed = self.transport.end().or(closed.take());
                LinkEvent::Closed(reason)
            }
        };
        if let Some(asked) = &mut self.transport.paused {
            *asked -= 1;
        }
        Poll::Ready(Some(event))
    }

    /// The next frame, `None` if it has not come, or the end.
    fn advance(&mut self, cx: &mut Context<'_>) -> Result<Option<C::Item>, CloseReason> {
        loop {
            if let Some(frame) = self.decode()? {
                return Ok(Some(frame));
            }
            let transport = &mut self.transport;
            if let Some(reason) = transport.over.take() {
                return Err(reason);
            }
            if transport.ended {
                return match transport.received.len() {
                    // The peer may still read: what is on its way goes first.
                    0 if transport.is_writing() => Ok(None),
                    0 => Err(CloseReason::End),
                    received => Err(CloseReason::Cut { received }),
                };
            }
            let limit = transport.config.max_frame;
            if transport.received.len() > limit {
                return Err(CloseReason::TooLong { limit });
            }
            match transport.read(cx) {
                Poll::Ready(Ok(0)) => {
                    transport.ended = true;
                    // An operating system tells an error once: when a write was told, the next read
                    // sees no more than the end.
                    transport.over = transport.failed.take().map(CloseReason::Write);
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(CloseReason::Read(error)),
                Poll::Pending => {
                    return match transport.failed.take() {
                        Some(error) => Err(CloseReason::Write(error)),
                        None => Ok(None),
                    };
                }
            }
        }
    }

    fn decode(&mut self) -> Result<Option<C::Item>, CloseReason> {
        let Transport {
            received,
            ended,
            paused,
            config,
            ..
        } = &mut self.transport;
        // At the end the codec is asked in any case: it may have kept a part of a frame. And a
        // handshake may ask for no bytes.
        let is_asked = *ended || paused.is_some() || config.credits == 0;
        if received.is_empty() && !is_asked {
            return Ok(None);
        }
        let before = received.len();
        let decoded = if *ended {
            self.codec.decode_eof(received)
        } else {
            self.codec.decode(received)
        };
        let limit = self.transport.config.max_frame;
        match decoded {
            // Whether a frame is too long must not depend on how it was cut into segments.
            Ok(_) if before.saturating_sub(self.transport.received.len()) > limit => {
                Err(CloseReason::TooLong { limit })
            }
            Ok(frame) => Ok(frame),
            // A codec may call a frame that is cut off garbage; it is the end of the connection
            // that cut it.
            Err(_) if self.transport.ended => Err(CloseReason::Cut { received: before }),
            Err(error) => Err(CloseReason::Garbage(error.into())),
        }
    }
}

/// A codec that panicked has ended its machine; the socket is only dropped afterwards.
pub(super) fn lock<C>(socket: &Mutex<Socket<C>>) -> MutexGuard<'_, Socket<C>> {
    socket.lock().unwrap_or_else(PoisonError::into_inner)
}
