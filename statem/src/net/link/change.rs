//! A connection changes what it talks: another codec, or another owner of its bytes.

use std::any::{TypeId, type_name};
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio_util::codec::Decoder;

use super::super::error::UpgradeError;
use super::reader::half;
use super::socket::{Socket, lock};
use super::transport::Transport;
use super::{Io, Link, LinkEvent};

impl<C> Link<C> {
    /// The same connection with another codec: bytes that were received and not decoded go to the
    /// new one, and so do those in the write buffer their way, whole.
    ///
    /// Frames are decoded one at a time, each when it can be handled, so that in the handler of a
    /// frame everything behind it is still bytes: called there, the change is between this frame and
    /// the next byte, however the peer's bytes were cut into segments. What the old codec has taken
    /// out of the buffer itself is gone with it. Source, credits, bounds and marks stay; frames of
    /// the old codec that were postponed still come, as the events they are.
    ///
    /// It takes the link by value, for [`go_with`](crate::At::go_with).
    ///
    /// # Panics
    ///
    /// If the events that `map` makes are not of the type that the machine has.
    ///
    /// ```
    /// use statem::net::{Exactly, Lines, Link, LinkEvent};
    /// use statem::testing::{Bench, WireEnd, wire};
    /// use statem::{Cx, ExitReason, Handler, Next, StateMachine, keep, stop};
    ///
    /// /// Talks in lines to a peer that says version 1.
    /// #[derive(StateMachine)]
    /// #[machine(event = Event, data = Vec<String>)]
    /// enum Session {
    ///     #[initial]
    ///     #[to(Greeting)]
    ///     Waiting,
    ///     #[to(Open)]
    ///     Greeting(Greeting),
    ///     #[to(Waiting)]
    ///     Open(Open),
    /// }
    ///
    /// struct Greeting {
    ///     link: Link<Exactly>,
    /// }
    ///
    /// struct Open {
    ///     _link: Link<Lines>,
    /// }
    ///
    /// enum Event {
    ///     Accepted(WireEnd),
    ///     Greeting(LinkEvent<bytes::Bytes>),
    ///     Line(LinkEvent<String>),
    /// }
    ///
    /// impl Handler for Session {
    ///     fn handle(state: SessionAt<'_>, event: Event, lines: &mut Vec<String>, cx: &mut Cx<Self>) -> Next<Self> {
    ///         match (state, event) {
    ///             (SessionAt::Waiting(s), Event::Accepted(io)) => {
    ///                 s.go(Greeting { link: Link::open(io, Exactly::new(4), cx, Event::Greeting) })
    ///             }
    ///             (SessionAt::Greeting(s), Event::Greeting(LinkEvent::Frame(hello))) if *hello == *b"ver1" => {
    ///                 s.go_with(|old| Open { _link: old.link.with_codec(Lines::new(1024), Event::Line) })
    ///             }
    ///             (SessionAt::Open(_), Event::Line(LinkEvent::Frame(line))) => {
    ///                 lines.push(line);
    ///                 keep()
    ///             }
    ///             (SessionAt::Open(s), Event::Line(LinkEvent::Closed(_))) => s.go(Waiting),
    ///             _ => stop(ExitReason::other("this is not a session")),
    ///         }
    ///     }
    /// }
    ///
    /// let (io, peer) = wire();
    /// let mut session = Bench::new(Waiting, Vec::new());
    /// session.send(Event::Accepted(io));
    /// peer.send("ver1one\ntwo\n");
    /// session.poll();
    /// assert_eq!(*session.data(), ["one", "two"]);
    /// ```
    pub fn with_codec<D, F, Event>(mut self, codec: D, map: F) -> Link<D>
    where
        D: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
        F: FnMut(LinkEvent<D::Item>) -> Event + Send + 'static,
        Event: 'static,
    {
        assert!(
            self.event == TypeId::of::<Event>(),
            "`Link::with_codec` is to make the events of the machine that has the link; `{}` is not \
             their type",
            type_name::<Event>()
        );
        let mut old = lock(&self.socket);
        let gone = Transport::gone(old.transport.config);
        let socket = Arc::new(Mutex::new(Socket {
            codec,
            transport: std::mem::replace(&mut old.transport, gone),
            moved: None,
        }));
        old.moved = Some(Box::new(half(socket.clone(), map)));
        drop(old);
        let link = Link {
            socket,
            guard: self.guard.take(),
            event: self.event,
        };
        link.poll_again();
        link
    }

    /// Takes the byte stream out, to go on with it otherwise, as after STARTTLS.
    ///
    /// What was sent is written first, as at the end of a turn. The link is closed then, without an
    /// event, and goes with its state.
    ///
    /// # Errors
    ///
    /// See [`UpgradeError`]; the link stays as it is. Bytes that came before the upgrade are refused:
    /// whoever stands between could have sent them, and they must not pass for what came after it.
    /// What the codec has taken out of the buffer, and what the byte stream itself may hold, the link
    /// cannot know.
    ///
    /// ```
    /// use statem::net::{Io, Lines, Link, LinkEvent};
    /// use statem::testing::{Bench, WireEnd, wire};
    /// use statem::{Cx, ExitReason, Handler, Next, StateMachine, keep, stop};
    ///
    /// /// Stands for the TLS library's `accept`.
    /// async fn accept(io: Box<dyn Io>) -> Box<dyn Io> {
    ///     io
    /// }
    ///
    /// /// A server that goes on in TLS when it is asked to.
    /// #[derive(StateMachine)]
    /// #[machine(event = Event)]
    /// enum Server {
    ///     #[initial]
    ///     #[to(Plain)]
    ///     Waiting,
    ///     #[to(Securing)]
    ///     Plain(Plain),
    ///     #[to(Secure)]
    ///     Securing,
    ///     #[to(Waiting)]
    ///     Secure(Secure),
    /// }
    ///
    /// struct Plain {
    ///     link: Link<Lines>,
    /// }
    ///
    /// struct Secure {
    ///     link: Link<Lines>,
    /// }
    ///
    /// enum Event {
    ///     Accepted(WireEnd),
    ///     Secured(Box<dyn Io>),
    ///     Line(LinkEvent<String>),
    /// }
    ///
    /// impl Handler for Server {
    ///     fn handle(state: ServerAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
    ///         use {Event as E, ServerAt as S};
    ///         match (state, event) {
    ///             (S::Waiting(s), E::Accepted(io)) => {
    ///                 s.go(Plain { link: Link::open(io, Lines::new(1024), cx, E::Line) })
    ///             }
    ///             (S::Plain(mut s), E::Line(LinkEvent::Frame(line))) if line == "STARTTLS" => {
    ///                 if let Err(error) = s.link.send("220 go ahead") {
    ///                     return stop(error);
    ///                 }
    ///                 match s.link.upgrade() {
    ///                     Ok(io) => {
    ///                         cx.state_task(accept(io), E::Secured);
    ///                         s.go(Securing)
    ///                     }
    ///                     Err(error) => stop(error),
    ///                 }
    ///             }
    ///             (S::Securing(s), E::Secured(io)) => {
    ///                 s.go(Secure { link: Link::open(io, Lines::new(1024), cx, E::Line) })
    ///             }
    ///             (S::Secure(mut s), E::Line(LinkEvent::Frame(_))) => match s.link.send("250 ok") {
    ///                 Ok(_) => keep(),
    ///                 Err(error) => stop(error),
    ///             },
    ///             (S::Secure(s), E::Line(LinkEvent::Closed(_))) => s.go(Waiting),
    ///             _ => stop(ExitReason::other("this is not how the session goes")),
    ///         }
    ///     }
    /// }
    ///
    /// let (io, peer) = wire();
    /// let mut server = Bench::new(Waiting, ());
    /// server.send(Event::Accepted(io));
    /// peer.send("STARTTLS\n");
    /// server.poll();
    /// assert_eq!(peer.take_written(), b"220 go ahead\n");
    /// peer.send("EHLO again\n");
    /// server.poll();
    /// assert_eq!(peer.take_written(), b"250 ok\n");
    ///
    /// // Somebody has put a command behind the one that asks for TLS.
    /// let (io, peer) = wire();
    /// let mut server = Bench::new(Waiting, ());
    /// server.send(Event::Accepted(io));
    /// peer.send("STARTTLS\nMAIL FROM:<mallory>\n");
    /// server.poll();
    /// assert!(server.stopped().unwrap().to_string().contains("20 bytes"));
    /// ```
    pub fn upgrade(&mut self) -> Result<Box<dyn Io>, UpgradeError> {
        let mut socket = lock(&self.socket);
        let transport = &mut socket.transport;
        if !transport.is_open() || transport.ended {
            return Err(UpgradeError::Closed);
        }
        if !transport.received.is_empty() {
            let bytes = transport.received.len();
            return Err(UpgradeError::Unread { bytes });
        }
        match transport.write(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                transport.failed = Some(error);
                drop(socket);
                self.poll_again();
                return Err(UpgradeError::Closed);
            }
            Poll::Pending => {
                let bytes = transport.unsent.len();
                drop(socket);
                // Nobody was left to be woken.
                self.guard.flush();
                return Err(UpgradeError::Unsent { bytes });
            }
        }
        let io = transport.end().ok_or(UpgradeError::Closed);
        drop(socket);
        // The source ends.
        self.poll_again();
        io
    }
}
