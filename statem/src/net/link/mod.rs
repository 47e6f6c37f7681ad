//! [`Link`]: a framed socket as a source of a machine.
//!
//! The link in the state and its source in the engine share the socket. The link encodes into the
//! write buffer and asks for a flush; the source writes, reads and decodes.

mod change;
mod config;
mod reader;
mod socket;
mod transport;

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

pub use config::LinkConfig;
use reader::{Reader, half};
use socket::{Socket, lock};
use transport::{Room, Transport};

use super::Io;
use super::codec::Exactly;
use super::error::{CloseReason, SendError};
use crate::{Actions, Guard, Machine};

/// A framed socket, owned by the state (or the value) that holds it.
///
/// Frames arrive as events, at most `credits` of them unconsumed (N40): a machine that postpones
/// frames stops reading, and TCP stops the peer. [`Link::send`] never waits; everything sent in a
/// turn leaves in one write at its end. Dropping the link discards what was not written and closes
/// the socket at once (N83); no event of it is handled afterwards (N36).
///
/// When the peer has closed its side, the codec's `decode_eof` says what the rest is. Some codecs
/// are lenient: `LinesCodec` of `tokio_util` gives an unfinished last line as a frame. Where a reply
/// that was cut off must not pass for a whole one, use a codec whose `decode_eof` refuses a rest, as
/// the default one does, and [`Lines`](super::Lines): then the link says [`CloseReason::Cut`].
///
/// ```
/// use statem::net::{Lines, Link, LinkEvent};
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, keep, stop};
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
///     link: Link<Lines>,
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
///                 Some(socket) => s.go(Open { link: Link::open(socket, Lines::new(1024), cx, Event::Link) }),
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
    guard: Guard,
    /// The type of the machine's events.
    event: TypeId,
}

/// What happens on a link.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkEvent<Frame> {
    /// The peer sent a frame.
    Frame(Frame),
    /// There is room again: half of the write buffer or more is free. Once after a
    /// [`SendError::Full`], unless the link is closing or has ended.
    Room,
    /// The connection has ended. Once, and after all complete frames that were received (N82).
    Closed(CloseReason),
}

/// Where an item begins in everything that was sent on a link; see [`Link::is_handed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(in crate::net) u64);

impl<C> Link<C> {
    /// Takes a byte stream as a source of the machine; `map` makes its events.
    ///
    /// It is first read when the transition is complete (N41). Keep the link in the state's struct.
    pub fn open<M, F>(io: impl Io + 'static, codec: C, cx: &mut Actions<M>, map: F) -> Self
    where
        M: Machine<Event: 'static>,
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
        M: Machine<Event: 'static>,
        C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        F: FnMut(LinkEvent<C::Item>) -> M::Event + Send + 'static,
    {
        let socket = Arc::new(Mutex::new(Socket {
            codec,
            transport: Transport::new(Box::new(io), config),
            moved: None,
        }));
        let guard = cx.source(Reader::new(half(socket.clone(), map)), config.credits);
        Link {
            socket,
            guard,
            event: TypeId::of::<M::Event>(),
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
    /// slowly. [`LinkEvent::Room`] tells when half of it is free.
    pub fn send<Item>(&mut self, item: Item) -> Result<Mark, SendError<Item, C::Error>>
    where
        C: Encoder<Item>,
    {
        let mut guard = lock(&self.socket);
        let Socket {
            codec, transport, ..
        } = &mut *guard;
        if !transport.is_open() {
            return Err(SendError::Closed(item));
        }
        if transport.unsent.len() >= transport.config.high_water {
            transport.room = Room::Awaited;
            return Err(SendError::Full(item));
        }
        let before = transport.unsent.len();
        if let Err(error) = codec.encode(item, &mut transport.unsent) {
            transport.unsent.truncate(before);
            return Err(SendError::Codec(error));
        }
        let mark = Mark(transport.encoded);
        transport.encoded += (transport.unsent.len() - before) as u64;
        drop(guard);
        self.guard.flush();
        Ok(mark)
    }

    /// Takes in `count` more events of a link that is passive or paused, and of any other as many
    /// more than its credits allow, once each (N40).
    ///
    /// On a passive link, one with `credits(0)`, every event has to be asked for; on a
    /// [paused](Link::pause) one every frame and the end.
    pub fn read(&self, count: usize) {
        let mut socket = lock(&self.socket);
        if let Some(asked) = &mut socket.transport.paused {
            *asked = asked.saturating_add(count);
        }
        drop(socket);
        self.guard.read(count);
    }

    /// Takes no more frames in, but those that are asked for by [`Link::read`]: what the peer sends
    /// stays with it, once the buffers between are full.
    ///
    /// Writing goes on. That the connection has ended is not told either, for frames may come
    /// before it; [`Link::send`] says so when a write has failed.
    pub fn pause(&mut self) {
        lock(&self.socket).transport.paused = Some(0);
    }

    /// Takes frames in again after [`Link::pause`], as many as the link has credits.
    pub fn resume(&mut self) {
        lock(&self.socket).transport.paused = None;
        self.poll_again();
    }

    /// Says goodbye: writes what was sent, shuts the write side, and reads on until the peer has
    /// closed its own. Then [`LinkEvent::Closed`] comes, not later than `within` after the end of
    /// the turn.
    ///
    /// From here on [`Link::send`] refuses, and frames that still come are events as before. A peer
    /// that does not read or does not close in time is left with
    /// [`CloseReason::CloseTimeout`]; what it did not accept was not sent ([`Link::is_handed`]). A
    /// pause ends. Called again, the new limit counts. Dropping the link meanwhile closes the socket
    /// at once (N83): keep it in a state that waits for the event.
    ///
    /// A passive link is told nothing it does not ask for; its socket is closed in time all the
    /// same, and so is that of a machine that postpones what comes.
    pub fn close(&mut self, within: Duration) {
        let mut socket = lock(&self.socket);
        if socket.transport.io.is_none() {
            return;
        }
        socket.transport.close(within);
        drop(socket);
        self.guard.flush();
        self.poll_again();
    }

    /// Whether the transport has accepted at least one byte of the item at this place: from then on
    /// nobody can tell whether the peer got it (N80). What is not handed was not sent, and is
    /// safe to send again.
    #[must_use]
    pub fn is_handed(&self, mark: Mark) -> bool {
        mark < self.handed()
    }

    /// Where what is not handed begins: an item with a smaller mark [is](Self::is_handed).
    pub(in crate::net) fn handed(&self) -> Mark {
        let socket = lock(&self.socket);
        Mark(socket.transport.encoded - socket.transport.unsent.len() as u64)
    }

    /// Whether it takes items, if there is room.
    pub(in crate::net) fn is_open(&self) -> bool {
        lock(&self.socket).transport.is_open()
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn unsent(&self) -> usize {
        lock(&self.socket).transport.unsent.len()
    }

    /// Has the source polled, also if the peer does nothing.
    fn poll_again(&self) {
        self.guard.read(0);
    }
}

impl Link<Exactly> {
    /// Asks a passive or paused link for one frame of exactly so many bytes: for handshakes whose
    /// next part has the length that this one says.
    ///
    /// Call it again when the frame has come; before that it changes the length of the one that is
    /// to come. Of 0 bytes it gives an empty frame at once.
    pub fn read_exactly(&mut self, bytes: usize) {
        lock(&self.socket).codec.set_length(bytes);
        self.read(1);
    }
}

impl<C> Drop for Link<C> {
    fn drop(&mut self) {
        let mut socket = lock(&self.socket);
        socket.transport.unsent = BytesMut::new();
        let io = socket.transport.end();
        drop(socket);
        drop(io);
    }
}

impl<C> fmt::Debug for Link<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = lock(&self.socket);
        f.debug_struct("Link")
            .field("open", &socket.transport.is_open())
            .field("unsent", &socket.transport.unsent.len())
            .finish_non_exhaustive()
    }
}
