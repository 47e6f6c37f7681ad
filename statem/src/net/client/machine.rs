//! The machine: its states, what can happen to it, and what becomes of it.

use std::time::Duration;

use tokio_util::codec::Decoder;

use super::Notice;
use super::connecting::{Attempt, Shaking};
use super::connections::Verdict;
use super::frames::Frames;
use super::live::Live;
use super::protocol::Protocol;
use super::session::Session;
use crate::net::{ConnectError, Connection, Feed, FeedEvent, LinkEvent, Lost, Queued};
use crate::{
    At, Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, keep, stop, unexpected,
};

/// The machine of a [`Client`](super::Client), drawn below.
///
/// A request that is asked for in `Connected` is sent; in any other state it waits, or fails, as its
/// [`Policy`](crate::net::Policy) says. `Connecting` runs the attempt beside the machine, which
/// answers meanwhile. A connection that is to be replaced is kept beside the states that make the
/// other one, until what was sent on it is answered.
#[derive(StateMachine)]
#[machine(event = Event<P>, data = Session<P>, shutdown = Event::Drain, crate = crate)]
pub enum ClientMachine<P: Protocol> {
    /// There is no connection; the back-off runs.
    #[to(Connecting = "back-off over, or asked to", Draining = "shut down")]
    Disconnected(Disconnected),
    /// An attempt to connect runs.
    #[initial]
    #[to(Handshaking = "connected", Connected = "connected, no handshake")]
    #[to(Disconnected = "failed", Draining = "shut down")]
    Connecting(Connecting),
    /// Greetings are exchanged.
    #[to(
        Connected = "done",
        Disconnected = "failed or too late",
        Draining = "shut down"
    )]
    Handshaking(Handshaking<P>),
    /// Requests go out and answers come in.
    #[to(
        Disconnected = "lost",
        Connecting = "to be replaced",
        Draining = "shut down"
    )]
    Connected(Connected<P>),
    /// The client takes no more requests, and waits for the answers to what was sent.
    #[to(Stopped = "all answered")]
    Draining(Draining<P>),
    /// The client has ended.
    #[terminal]
    Stopped,
}

/// There is no connection.
#[derive(Debug)]
pub struct Disconnected {
    delay: Duration,
}

/// An attempt runs.
#[derive(Default)]
pub struct Connecting {
    attempt: Option<Box<Attempt>>,
}

/// There is a connection that has not shown yet that it works.
pub struct Handshaking<P: Protocol> {
    pub(super) live: Box<Live<P>>,
    shaking: Box<Shaking>,
}

/// There is a working connection.
pub struct Connected<P: Protocol> {
    /// Behind a pointer, as all that the other states have: what a handler answers has room for a state.
    pub(super) live: Box<Live<P>>,
}

/// The client is about to end.
pub struct Draining<P: Protocol> {
    pub(super) live: Option<Box<Live<P>>>,
}

/// Everything that can happen to the machine. Nobody outside can send one.
pub enum Event<P: Protocol> {
    /// A request.
    Call(Queued<P::Request, P::Response>),
    /// Somebody wants to be told of what is pushed, and of connections, and is told when he is.
    Subscribe(Feed<Notice<P::Response>>, Reply<()>),
    /// Something happened to the subscriber of this number.
    Feed(u64, FeedEvent),
    /// Somebody wants another connection, and is told when it is on its way.
    Reconnect(Reply<()>),
    /// The client is to end when all was answered.
    Drain,
    /// All was answered.
    Drained,
    /// The back-off is over.
    Retry,
    /// The attempt to connect has ended.
    Connected(Result<Box<Connection>, ConnectError>),
    /// The handshake took too long.
    TooLate,
    /// Something happened on the connection of this number.
    On(u64, On<Frames<<P::Codec as Decoder>::Item>>),
    /// Time is over for the connection of this number, which was replaced.
    Expired(u64),
}

/// What happens on a connection.
#[derive(Debug)]
pub enum On<Frames> {
    /// As the link says.
    Link(LinkEvent<Frames>),
    /// It is time to look whether answers come.
    Progress,
    /// It is time to look whether anything comes.
    Tick,
    /// It has lived long enough to be a good one.
    Stable,
    /// It has lived long enough.
    Lifetime,
}

/// The right to read, change and leave the state `S`.
type In<'a, P, S> = At<'a, ClientMachine<P>, S>;

#[diagnostic::do_not_recommend]
impl<P: Protocol> Handler for ClientMachine<P> {
    fn enter(&mut self, session: &mut Session<P>, cx: &mut EnterCx<Self>) {
        match self {
            Self::Disconnected(s) => cx.state_timeout(s.delay, Event::Retry),
            Self::Connecting(s) => {
                let (attempt, connection) = session.connect();
                s.attempt = Some(Box::new(attempt));
                cx.state_task(connection, |made| Event::Connected(made.map(Box::new)));
            }
            Self::Handshaking(_) => {
                cx.state_timeout(session.settings.handshake_timeout, Event::TooLate);
            }
            Self::Connected(s) => session.up(&mut s.live, cx),
            Self::Draining(s) => session.drain(s.live.as_deref_mut(), cx),
            Self::Stopped => {}
        }
    }

    fn handle(
        state: ClientMachineAt<'_, P>,
        event: Event<P>,
        session: &mut Session<P>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {ClientMachineAt as S, Event as E};
        let event = match event {
            // Before all others, for most events are requests.
            E::Call(queued) => {
                return match state {
                    S::Connected(mut s) => session.call(&mut s.live, queued, cx),
                    S::Draining(_) => session.refuse(queued),
                    _ => session.wait(queued, cx),
                };
            }
            event => event,
        };
        match (state, event) {
            (S::Connected(_), E::Subscribe(feed, reply)) => {
                session.subscribe(feed, true, reply, cx)
            }
            (_, E::Subscribe(feed, reply)) => {
                session.subscribe(feed, session.is_in_use(), reply, cx)
            }
            (_, E::Feed(number, event)) => session.on_feed(number, event),

            // The connection that was replaced goes on beside the states that make another one.
            (S::Draining(mut s), E::On(number, what)) => {
                session.on_draining(&mut s.live, number, what, cx)
            }
            (S::Draining(mut s), E::Expired(number)) => {
                session.expired_draining(&mut s.live, number, cx)
            }
            (_, E::On(number, what)) if session.is_retiring(number) => {
                session.on_retiring(number, what, cx)
            }
            (_, E::Expired(number)) => session.expired(number),

            (S::Disconnected(s), E::Retry) => s.go(Connecting::default()),
            (S::Disconnected(s), E::Reconnect(reply)) => {
                let _ = reply.send(());
                s.go(Connecting::default())
            }

            (S::Connecting(s), E::Connected(Ok(connection))) => {
                Connecting::connected(s, *connection, session, cx)
            }
            (S::Connecting(s), E::Connected(Err(error))) => Connecting::failed(s, error, session),

            (S::Handshaking(s), E::On(_, On::Link(LinkEvent::Frame(frames)))) => {
                Handshaking::greeted(s, frames, session, cx)
            }
            (S::Handshaking(mut s), E::On(_, On::Link(LinkEvent::Room))) => match s.live.pay() {
                Ok(()) => keep(),
                Err(lost) => Handshaking::failed(s, lost.in_handshake(), session),
            },
            (S::Handshaking(s), E::On(_, On::Link(LinkEvent::Closed(reason)))) => {
                Handshaking::failed(s, Lost::Closed(reason), session)
            }
            (S::Handshaking(s), E::TooLate) => {
                let limit = session.settings.handshake_timeout;
                Handshaking::failed(s, Lost::HandshakeTimeout(limit), session)
            }

            (S::Connected(mut s), E::On(_, what)) => match session.on(&mut s.live, what, cx) {
                Verdict::Keep => keep(),
                Verdict::Lost(lost) => Connected::lost(s, lost, session),
                Verdict::Replace(why) => Connected::replace(s, why, session, cx),
            },
            (S::Connected(s), E::Reconnect(reply)) => {
                let _ = reply.send(());
                Connected::replace(s, Lost::Replaced, session, cx)
            }

            (S::Disconnected(s), E::Drain) => s.go(Draining { live: None }),
            (S::Connecting(s), E::Drain) => s.go(Draining { live: None }),
            (S::Handshaking(s), E::Drain) => s.go(Draining { live: None }),
            (S::Connected(s), E::Drain) => s.go_with(|old| Draining {
                live: Some(old.live),
            }),
            (S::Draining(s), E::Drained) => s.go(Stopped),

            // It is being done.
            (S::Connecting(_) | S::Handshaking(_) | S::Draining(_), E::Reconnect(reply)) => {
                let _ = reply.send(());
                keep()
            }
            (S::Draining(_), E::Drain) => keep(),

            (_, event) => unexpected(event),
        }
    }

    fn terminate(reason: &ExitReason, state: Option<&mut Self>, session: &mut Session<P>) {
        let live = match state {
            Some(Self::Connected(s)) => Some(&mut *s.live),
            Some(Self::Draining(s)) => s.live.as_deref_mut(),
            _ => None,
        };
        session.end(reason, live);
    }
}

impl Connecting {
    fn connected<P: Protocol>(
        mut s: In<'_, P, Self>,
        connection: Connection,
        session: &mut Session<P>,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        if let Some(attempt) = s.attempt.take() {
            attempt.succeeded(&connection);
        }
        match session.open(connection, cx) {
            Ok((live, true)) => s.go(Connected { live }),
            Ok((live, false)) => {
                let shaking = Box::new(Shaking::start(&live.endpoint));
                s.go(Handshaking { live, shaking })
            }
            Err(lost) => match session.failed(lost) {
                Ok(delay) => s.go(Disconnected { delay }),
                Err(lost) => stop(lost),
            },
        }
    }

    fn failed<P: Protocol>(
        mut s: In<'_, P, Self>,
        error: ConnectError,
        session: &mut Session<P>,
    ) -> Next<ClientMachine<P>> {
        if let Some(attempt) = s.attempt.take() {
            attempt.failed(&error);
        }
        match session.failed(Lost::Connect(error)) {
            Ok(delay) => s.go(Disconnected { delay }),
            Err(lost) => stop(lost),
        }
    }
}

impl<P: Protocol> Handshaking<P> {
    fn greeted(
        mut s: In<'_, P, Self>,
        frames: Frames<<P::Codec as Decoder>::Item>,
        session: &mut Session<P>,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        match session.greeted(&mut s.live, frames, cx) {
            // What comes after the greeting is in the link, which goes on.
            Ok(true) => {
                s.shaking.done();
                s.go_with(|old| Connected { live: old.live })
            }
            Ok(false) => keep(),
            Err(lost) => Self::failed(s, lost, session),
        }
    }

    fn failed(
        mut s: In<'_, P, Self>,
        lost: Lost,
        session: &mut Session<P>,
    ) -> Next<ClientMachine<P>> {
        s.shaking.failed(&lost);
        session.unfit = Some(s.live.endpoint.clone());
        match session.failed(lost) {
            Ok(delay) => s.go(Disconnected { delay }),
            Err(lost) => stop(lost),
        }
    }
}

impl<P: Protocol> Connected<P> {
    fn lost(
        mut s: In<'_, P, Self>,
        lost: Lost,
        session: &mut Session<P>,
    ) -> Next<ClientMachine<P>> {
        let lost = session.down(&mut s.live, lost);
        match session.disconnected(lost) {
            Ok(delay) => s.go(Disconnected { delay }),
            Err(lost) => stop(lost),
        }
    }

    /// Makes before it breaks.
    fn replace(
        s: In<'_, P, Self>,
        why: Lost,
        session: &mut Session<P>,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        // A peer that drains every connection at once must not be asked again at once.
        if matches!(why, Lost::Drained) && !s.live.is_stable() {
            let delay = session.backoff.delay();
            return s.go_with(|old| {
                session.retire(old.live, why, cx);
                Disconnected { delay }
            });
        }
        s.go_with(|old| {
            session.retire(old.live, why, cx);
            Connecting::default()
        })
    }
}
