//! The client: a state machine that asks DNS servers.
//!
//! The handler below never waits. Sockets are opened by a task of the state `Opening`; what comes in
//! on them are streams that the state `Open` holds; a query over TCP is a task that the query holds;
//! and every timeout is a value beside what it is about: the query, the connection, the id. Whatever
//! ends takes them along, so there is nothing to cancel.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use statem::net::RequestError;
use statem::{
    Builder, Client, Cx, EnterCx, ExitReason, Handler, Inspection, Next, Reply, StateMachine,
    Watch, keep, postpone, unexpected,
};

use super::message::{Message, Question};
use super::outcome::{Answered, Counts, DnsError};
use super::servers::Open;
use super::udp::{Datagrams, Network};

/// A client of several DNS servers.
#[derive(StateMachine)]
#[machine(event = Event, data = Data)]
pub enum Resolver {
    /// There are no sockets, since nobody asks.
    #[initial]
    #[to(Opening = "asked")]
    Closed,
    /// A task opens a socket for each server.
    #[to(Open = "opened", Broken = "no socket to be had")]
    Opening,
    /// Questions go out and answers come in.
    #[to(Closed = "idle")]
    Open(Open),
    /// There are no sockets to be had: whoever asks is told so, until it is time to try again.
    #[to(Closed = "back-off over")]
    Broken(Broken),
}

/// The state without the means to ask.
pub struct Broken {
    why: Arc<io::Error>,
}

/// A socket, and the server that it is for.
pub type Opened = (SocketAddr, Arc<dyn Datagrams>);

/// Everything that can happen to the client. Callers have a [`Dns`], which sends what is marked.
#[derive(Client)]
#[client(machine = Resolver, name = Dns)]
pub enum Event {
    /// Asks a question and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`DnsError`].
    #[call]
    Ask(Question, Reply<Answered, DnsError>),
    /// What has happened so far.
    #[call]
    Counts(Reply<Counts>),
    /// The sockets are open, or none is.
    Opened(Result<Vec<Opened>, io::Error>),
    /// Nobody has asked for a while.
    Idle,
    /// It is time to try for sockets again.
    Retry,
    /// A datagram has come from this server, or something about one that was sent to it.
    Datagram(usize, io::Result<Vec<u8>>),
    /// It is time for this query's next attempt.
    Due(u64),
    /// The query of this number was answered over TCP, or was not.
    OverTcp(u64, Result<Message, RequestError>),
    /// Nothing was asked over TCP for a while.
    TcpIdle(usize),
    /// The connection to this server has ended by itself.
    TcpEnded(usize, ExitReason),
    /// An id may be used again.
    Released(usize, u16),
}

/// The choices of whoever uses the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom to ask, the best one first.
    pub servers: Vec<SocketAddr>,
    /// How long a caller waits for an answer unless it says otherwise.
    pub limit: Duration,
    /// How long a server has for its first answer over UDP; twice as long in each further round.
    pub timeout: Duration,
    /// The longest that this becomes.
    pub longest_timeout: Duration,
    /// How often all servers are asked before the client gives up.
    pub rounds: u32,
    /// How long an answer over TCP may take, with connecting.
    pub tcp_timeout: Duration,
    /// How long a connection stays open while nothing is asked (RFC 7766, 6.2.3).
    pub tcp_idle: Duration,
    /// How long the sockets stay open while nobody asks.
    pub idle: Duration,
    /// How long after the end of its query an id is not given to another one, unless all copies of
    /// the query are answered before.
    pub quarantine: Duration,
    /// The most questions that are not answered yet.
    pub max_in_flight: usize,
    /// Where the random numbers begin, for a test. Without it they differ from client to client.
    pub seed: Option<u64>,
}

impl Settings {
    /// The defaults, for these servers.
    #[must_use]
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Settings {
            servers,
            limit: Duration::from_secs(15),
            timeout: Duration::from_secs(1),
            longest_timeout: Duration::from_secs(4),
            rounds: 3,
            tcp_timeout: Duration::from_secs(5),
            tcp_idle: Duration::from_secs(2),
            idle: Duration::from_secs(10),
            quarantine: Duration::from_secs(30),
            max_in_flight: 256,
            seed: None,
        }
    }
}

/// What the client keeps in every state.
pub struct Data {
    pub(super) settings: Settings,
    pub(super) network: Box<dyn Network>,
    pub(super) random: fastrand::Rng,
    pub(super) counts: Counts,
    /// The number of the server that answered last: the next question goes there first.
    pub(super) preferred: usize,
}

/// How long whoever asks is refused after there was no socket to be had.
const BROKEN: Duration = Duration::from_secs(1);

impl Handler for Resolver {
    fn enter(&mut self, data: &mut Data, cx: &mut EnterCx<Self>) {
        match self {
            Self::Closed => {}
            Self::Open(s) => s.idle(data, cx),
            Self::Opening => cx.state_task(data.open(), Event::Opened),
            Self::Broken(_) => cx.state_timeout(BROKEN, Event::Retry),
        }
    }

    fn handle(
        state: ResolverAt<'_>,
        event: Event,
        data: &mut Data,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {Event as E, ResolverAt as S};
        match (state, event) {
            (S::Closed(s), event @ E::Ask(..)) => {
                cx.postpone(event);
                s.go(Opening)
            }
            (S::Opening(_), event @ E::Ask(..)) => postpone(event),
            (S::Open(mut s), E::Ask(question, reply)) => {
                s.ask(question, reply, data, cx);
                keep()
            }
            (S::Broken(s), E::Ask(_, reply)) => {
                drop(reply.fail(DnsError::NoSocket(s.why.clone())));
                keep()
            }

            (S::Open(s), E::Counts(reply)) => {
                let mut counts = data.counts;
                counts.quarantined = s.quarantined();
                let _ = reply.send(counts);
                keep()
            }
            (_, E::Counts(reply)) => {
                let _ = reply.send(data.counts);
                keep()
            }

            (S::Opening(s), E::Opened(Ok(sockets))) => {
                data.counts.opened += 1;
                let open = Open::new(sockets, cx);
                s.go(open)
            }
            (S::Opening(s), E::Opened(Err(error))) => s.go(Broken {
                why: Arc::new(error),
            }),
            (S::Broken(s), E::Retry) => s.go(Closed),
            // The sockets go with the state, and the ids that were left with them: the next ones
            // have other ports.
            (S::Open(s), E::Idle) => s.go(Closed),

            (S::Open(mut s), event) => {
                match event {
                    E::Datagram(server, Ok(bytes)) => s.received(server, &bytes, data, cx),
                    E::Datagram(server, Err(error)) => s.unreachable(server, error, data, cx),
                    E::Due(query) => s.due(query, data, cx),
                    E::OverTcp(query, outcome) => s.over_tcp(query, outcome, data, cx),
                    E::TcpIdle(server) => s.tcp_idle(server, data, cx),
                    E::TcpEnded(server, reason) => s.tcp_ended(server, &reason, data, cx),
                    E::Released(server, id) => s.released(server, id),
                    other => return unexpected(other),
                }
                keep()
            }
            (_, event) => unexpected(event),
        }
    }
}

impl Data {
    /// Opens a socket for each server. One that has none is left out; without any there is an error.
    fn open(&self) -> impl Future<Output = Result<Vec<Opened>, io::Error>> + Send + use<> {
        let opening: Vec<_> = self
            .settings
            .servers
            .iter()
            .map(|&server| (server, self.network.datagrams(server)))
            .collect();
        async move {
            let mut opened = Vec::new();
            let mut failed = io::Error::other("there is no server to ask");
            for (server, socket) in opening {
                match socket.await {
                    Ok(socket) => opened.push((server, socket)),
                    Err(error) => failed = error,
                }
            }
            if opened.is_empty() {
                Err(failed)
            } else {
                Ok(opened)
            }
        }
    }
}

impl Dns {
    /// Starts a client, as a task of the current tokio runtime. Returns at once; sockets are opened
    /// when somebody asks.
    #[must_use]
    pub fn start(settings: Settings, network: impl Network) -> Self {
        let builder = Builder::new()
            .call_limit(settings.limit)
            .postponed(settings.max_in_flight);
        let random = settings
            .seed
            .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let data = Data {
            settings,
            network: Box::new(network),
            random,
            counts: Counts::default(),
            preferred: 0,
        };
        builder.spawn(Closed, data).into()
    }

    /// The state of the client, and each that it enters from here on.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// The state, timeouts and sources of the client at this moment.
    ///
    /// # Errors
    ///
    /// When the client has stopped, or does not answer within the limit.
    pub async fn inspect(&self) -> Result<Inspection, statem::CallError> {
        self.handle.inspect().await
    }
}
