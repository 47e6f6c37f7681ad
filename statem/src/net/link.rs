//! [`Link`]: a framed socket as a source of a machine.
//!
//! The link in the state and its source in the engine share the socket. The link encodes into the
//! write buffer and asks for a flush; the source writes, reads and decodes.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::{Decoder, Encoder};
use tokio_util::io::poll_write_buf;

use super::error::{CloseReason, SendError};
use crate::{Actions, CREDITS, Guard, Machine, Source};

/// A framed socket, owned by the state (or the value) that holds it.
///
/// Frames arrive as events, at most `credits` of them unconsumed (N40): a machine that postpones
/// frames stops reading, and TCP stops the peer. [`Link::send`] never waits; everything sent in a
/// turn leaves in one write at its end. Dropping the link discards what was not written and closes
/// the socket at once (N83); no event of it is handled afterwards (N36).
///
/// When the peer has closed its side, the codec's `decode_eof` says what the rest is. Some codecs
/// are lenient: `LinesCodec` gives an unfinished last line as a frame. Where a reply that was cut
/// off must not pass for a whole one, use a codec whose `decode_eof` refuses a rest, as the default
/// one does: then the link says [`CloseReason::Cut`].
///
/// ```
/// use statem::net::{Link, LinkEvent};
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, keep, stop};
/// use tokio_util::codec::LinesCodec;
///
/// /// A server's side of a connection that answers every line with the same line.
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Option<tokio::io::DuplexStream>)]
/// enum Echo {
///     #[initial]
///     #[to(Open)]
///     Accepted,
///     #[to(Accepted)]
///     Open(Open),
/// }
///
/// struct Open {
///     link: Link<LinesCodec>,
/// }
///
/// enum Event {
///     Go,
///     Link(LinkEvent<String>),
/// }
///
/// impl Handler for Echo {
///     fn enter(&mut self, _: &mut Option<tokio::io::DuplexStream>, cx: &mut EnterCx<Self>) {
///         if matches!(self, Self::Accepted) {
///             cx.insert(Event::Go);
///         }
///     }
///
///     fn handle(
///         state: EchoAt<'_>,
///         event: Event,
///         socket: &mut Option<tokio::io::DuplexStream>,
///         cx: &mut Cx<Self>,
///     ) -> Next<Self> {
///         match (state, event) {
///             (EchoAt::Accepted(s), Event::Go) => match socket.take() {
///                 Some(socket) => s.go(Open { link: Link::open(socket, LinesCodec::new(), cx, Event::Link) }),
///                 None => stop(statem::ExitReason::Normal),
///             },
///             (EchoAt::Open(mut s), Event::Link(LinkEvent::Frame(line))) => match s.link.send(line) {
///                 Ok(_) => keep(),
///                 Err(_) => stop(statem::ExitReason::Normal),
///             },
///             (EchoAt::Open(_), Event::Link(LinkEvent::Closed(_))) => stop(statem::ExitReason::Normal),
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
/// ```
#[must_use = "dropping a link closes its socket"]
pub struct Link<C> {
    socket: Arc<Mutex<Socket<C>>>,
    high_water: usize,
    guard: Guard,
}

/// What happens on a link.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkEvent<Frame> {
    /// The peer sent a frame.
    Frame(Frame),
    /// The connection has ended. Once, and after all complete frames that were received (N82).
    Closed(CloseReason),
}

/// The bounds of a link.
///
/// ```
/// let config = statem::net::LinkConfig::default().max_frame(64 * 1024).credits(8);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LinkConfig {
    high_water: usize,
    max_frame: usize,
    credits: usize,
}

impl LinkConfig {
    /// Bytes in the write buffer from which on [`Link::send`] refuses: 64 KiB by default.
    pub fn high_water(mut self, bytes: usize) -> Self {
        self.high_water = bytes;
        self
    }

    /// Bytes of one frame, complete or not, that end the connection when there are more: 16 MiB by
    /// default.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    /// Frames that may be queued or postponed at once: 32 by default (N40). With 0 the link is
    /// passive: each frame, and the end, is asked for by [`Link::read`].
    pub fn credits(mut self, frames: usize) -> Self {
        self.credits = frames;
        self
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        LinkConfig {
            high_water: 64 * 1024,
            max_frame: 16 * 1024 * 1024,
            credits: CREDITS,
        }
    }
}

/// Where an item begins in everything that was sent on a link; see [`Link::is_handed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// A byte stream: whatever can be read, written and sent to another thread.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl fmt::Debug for dyn Io + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io")
    }
}

impl<C> Link<C> {
    /// Takes a byte stream as a source of the machine; `map` makes its events.
    ///
    /// It is first read when the transition is complete (N41). Keep the link in the state's struct.
    pub fn open<M, F>(io: impl Io + 'static, codec: C, cx: &mut Actions<M>, map: F) -> Self
    where
        M: Machine,
        C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        F: FnMut(LinkEvent<C::Item>) -> M::Event + Send + 'static,
    {
        Self::open_with(LinkConfig::default(), io, codec, cx, map)
    }

    /// As [`Link::open`], with other bounds.
    pub fn open_with<M, F>(
        config: LinkConfig,
        io: impl Io + 'static,
        codec: C,
        cx: &mut Actions<M>,
        map: F,
    ) -> Self
    where
        M: Machine,
        C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        F: FnMut(LinkEvent<C::Item>) -> M::Event + Send + 'static,
    {
        let socket = Arc::new(Mutex::new(Socket {
            io: Some(Box::new(io)),
            codec,
            max_frame: config.max_frame,
            received: BytesMut::new(),
            unsent: BytesMut::new(),
            unflushed: false,
            encoded: 0,
            failed: None,
            ended: false,
        }));
        let guard = cx.source(
            Reader {
                socket: socket.clone(),
                map,
            },
            config.credits,
        );
        Link {
            socket,
            high_water: config.high_water,
            guard,
        }
    }

    /// Encodes an item into the write buffer; it leaves at the end of the turn, with all others of
    /// the turn.
    ///
    /// Gives the item's place, by which [`Link::is_handed`] tells later whether any of it has left.
    ///
    /// # Errors
    ///
    /// See [`SendError`]. `Full` while the buffer is over its high-water mark: the peer reads too
    /// slowly.
    pub fn send<Item>(&mut self, item: Item) -> Result<Mark, SendError<Item, C::Error>>
    where
        C: Encoder<Item>,
    {
        let mut guard = lock(&self.socket);
        let socket = &mut *guard;
        if socket.io.is_none() || socket.failed.is_some() {
            return Err(SendError::Closed(item));
        }
        if socket.unsent.len() >= self.high_water {
            return Err(SendError::Full(item));
        }
        let before = socket.unsent.len();
        if let Err(error) = socket.codec.encode(item, &mut socket.unsent) {
            socket.unsent.truncate(before);
            return Err(SendError::Codec(error));
        }
        let mark = Mark(socket.encoded);
        socket.encoded += (socket.unsent.len() - before) as u64;
        drop(guard);
        self.guard.flush();
        Ok(mark)
    }

    /// Takes in `count` more events of the link than its credits allow, once each (N40): how a
    /// passive link, one with `credits(0)`, is read.
    pub fn read(&self, count: usize) {
        self.guard.read(count);
    }

    /// Whether the transport has accepted at least one byte of the item at this place: from then on
    /// nobody can tell whether the peer got it (N80). What is not handed was not sent, and is
    /// safe to send again.
    #[must_use]
    pub fn is_handed(&self, mark: Mark) -> bool {
        let socket = lock(&self.socket);
        mark.0 < socket.encoded - socket.unsent.len() as u64
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn unsent(&self) -> usize {
        lock(&self.socket).unsent.len()
    }
}

impl<C> Drop for Link<C> {
    fn drop(&mut self) {
        let io = {
            let mut socket = lock(&self.socket);
            socket.unsent = BytesMut::new();
            socket.received = BytesMut::new();
            socket.io.take()
        };
        drop(io);
    }
}

impl<C> fmt::Debug for Link<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = lock(&self.socket);
        f.debug_struct("Link")
            .field("open", &socket.io.is_some())
            .field("unsent", &socket.unsent.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that are read at once, and that an empty buffer may keep.
const SEGMENT: usize = 8 * 1024;

struct Socket<C> {
    /// `None` when it is closed.
    io: Option<Box<dyn Io>>,
    codec: C,
    max_frame: usize,
    received: BytesMut,
    unsent: BytesMut,
    /// Whether the transport may hold bytes back until it is flushed.
    unflushed: bool,
    /// Bytes ever encoded; those not in `unsent` were handed to the transport.
    encoded: u64,
    /// Writing failed. What was received before is still delivered first (N82).
    failed: Option<io::Error>,
    /// The peer has closed its side.
    ended: bool,
}

impl<C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>>> Socket<C> {
    /// The next event; `None` when the link is closed and has said so. Fills `closed` when it
    /// closes: the drop of the byte stream is foreign code, and the socket is locked here.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        closed: &mut Option<Box<dyn Io>>,
    ) -> Poll<Option<LinkEvent<C::Item>>> {
        if self.io.is_none() {
            return Poll::Ready(None);
        }
        self.write(cx);
        let reason = loop {
            match self.decode() {
                Ok(Some(frame)) => return Poll::Ready(Some(LinkEvent::Frame(frame))),
                Ok(None) => {}
                Err(reason) => break reason,
            }
            if self.ended {
                break match self.received.len() {
                    // The peer may still read: what is on its way goes first.
                    0 if self.is_writing() => return Poll::Pending,
                    0 => CloseReason::End,
                    received => CloseReason::Cut { received },
                };
            }
            if self.received.len() > self.max_frame {
                break CloseReason::TooLong {
                    limit: self.max_frame,
                };
            }
            match self.read(cx) {
                Poll::Ready(Ok(count)) => self.ended = count == 0,
                Poll::Ready(Err(error)) => break CloseReason::Read(error),
                Poll::Pending => match self.failed.take() {
                    Some(error) => break CloseReason::Write(error),
                    None => return Poll::Pending,
                },
            }
        };
        *closed = self.io.take();
        self.received = BytesMut::new();
        Poll::Ready(Some(LinkEvent::Closed(reason)))
    }

    fn decode(&mut self) -> Result<Option<C::Item>, CloseReason> {
        // At the end the codec is asked in any case: it may have kept a part of a frame.
        if self.received.is_empty() && !self.ended {
            return Ok(None);
        }
        let before = self.received.len();
        let decoded = if self.ended {
            self.codec.decode_eof(&mut self.received)
        } else {
            self.codec.decode(&mut self.received)
        };
        match decoded {
            // Whether a frame is too long must not depend on how it was cut into segments.
            Ok(_) if before.saturating_sub(self.received.len()) > self.max_frame => {
                Err(CloseReason::TooLong {
                    limit: self.max_frame,
                })
            }
            Ok(frame) => Ok(frame),
            // A codec may call a frame that is cut off garbage; it is the end of the connection
            // that cut it.
            Err(_) if self.ended => Err(CloseReason::Cut { received: before }),
            Err(error) => Err(CloseReason::Garbage(error.into())),
        }
    }
}

impl<C> Socket<C> {
    /// Reads once; the number of bytes, 0 at the end. A link that waits keeps no buffer for what
    /// may come.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
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

    /// Whether there is something to write, and it can be.
    fn is_writing(&self) -> bool {
        self.io.is_some() && self.failed.is_none() && (self.unflushed || !self.unsent.is_empty())
    }

    /// Writes what the transport accepts.
    fn write(&mut self, cx: &mut Context<'_>) {
        let Some(io) = &mut self.io else { return };
        if self.failed.is_some() {
            return;
        }
        let waited = self.unsent.len();
        while !self.unsent.is_empty() {
            let error = match poll_write_buf(Pin::new(io), cx, &mut self.unsent) {
                Poll::Ready(Ok(0)) => io::ErrorKind::WriteZero.into(),
                Poll::Ready(Ok(_)) => {
                    self.unflushed = true;
                    continue;
                }
                Poll::Ready(Err(error)) => error,
                Poll::Pending => return,
            };
            return self.fail(error, cx);
        }
        if waited > SEGMENT {
            // After a burst the link shrinks again.
            self.unsent = BytesMut::new();
        }
        if self.unflushed {
            match Pin::new(io).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => self.fail(error, cx),
                Poll::Pending => {}
            }
        }
    }

    /// Writing has failed. The reading side tells it, after what was received (N82).
    fn fail(&mut self, error: io::Error, cx: &mut Context<'_>) {
        self.failed = Some(error);
        cx.waker().wake_by_ref();
    }
}

/// The source in the engine.
struct Reader<C, F> {
    socket: Arc<Mutex<Socket<C>>>,
    map: F,
}

impl<C, F> Unpin for Reader<C, F> {}

impl<C, F, Event> Source<Event> for Reader<C, F>
where
    C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send,
    F: FnMut(LinkEvent<C::Item>) -> Event + Send,
{
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut closed = None;
        let polled = lock(&self.socket).poll(cx, &mut closed);
        drop(closed);
        polled.map(|event| event.map(|event| (self.map)(event)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut socket = lock(&self.socket);
        let was_writing = socket.is_writing();
        socket.write(cx);
        if socket.ended && was_writing && !socket.is_writing() {
            // The end waited for this, and is told by the reading side.
            cx.waker().wake_by_ref();
        }
    }
}

/// A codec that panicked has ended its machine; the socket is only dropped afterwards.
fn lock<C>(socket: &Mutex<Socket<C>>) -> MutexGuard<'_, Socket<C>> {
    socket.lock().unwrap_or_else(PoisonError::into_inner)
}
