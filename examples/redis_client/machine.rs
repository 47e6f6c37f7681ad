//! The client: a state machine that keeps a connection to a Redis server, and answers whoever asks
//! meanwhile.
//!
//! The handler below never waits. Dialling is a task of the state `Connecting`, the socket is a
//! [`Link`] in the struct of the state that uses it, and every deadline is a state timeout. Leaving
//! a state ends all three, so there is nothing to cancel, and no event of an old connection can
//! reach a new one.
//!
//! A production client would add TLS and authentication (two more states before `Connected`), more
//! than one address, a `PING` now and then when nothing is in flight, and subscriptions. None of
//! them changes the states that are here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use statem::net::{Io, Link, LinkConfig, LinkEvent, SendError};
use statem::{
    At, Builder, CallError, Client, Cx, EnterCx, ExitReason, Handler, Inspection, Next, Reply,
    StateMachine, Watch, keep, keep_and_retry, postpone, unexpected,
};

use tokio::net::TcpStream;

use super::backoff::Backoff;
use super::codec::resp::{Frame, Resp};
use super::request::{InFlight, Lost, RequestError, Value, command};

/// A connection to a Redis server that comes back when it is lost.
#[derive(StateMachine)]
#[machine(event = Event, data = Client)]
pub enum Connection {
    /// There is no connection; the back-off runs.
    #[to(Connecting = "back-off over")]
    Disconnected(Disconnected),
    /// A task dials.
    #[initial]
    #[to(Handshaking = "dialled", Disconnected = "refused or too late")]
    Connecting,
    /// The greeting was sent, its answer has not come.
    #[to(Connected = "greeted", Disconnected = "refused or too late")]
    Handshaking(Handshaking),
    /// Requests go out and replies come in.
    #[to(Disconnected = "lost or unresponsive")]
    Connected(Connected),
}

/// The state without a connection.
#[derive(Debug)]
pub struct Disconnected {
    /// Why.
    pub lost: Arc<Lost>,
    /// How long until the next attempt.
    pub delay: Duration,
}

/// The state with a connection that has not shown yet that it works.
#[derive(Debug)]
pub struct Handshaking {
    link: Link<Resp>,
}

/// The state with a working connection.
#[derive(Debug)]
pub struct Connected {
    link: Link<Resp>,
    in_flight: InFlight,
    /// Whether requests were postponed because there was no room in the table or in the write
    /// buffer.
    crowded: bool,
}

/// The right to read, change and leave the state `S`, as a handler has it.
type In<'a, S> = At<'a, Connection, S>;

/// Everything that can happen to the client. Callers have a [`Redis`], which sends what is marked; the
/// rest nobody but the machine can send, since nobody is given its handle.
#[derive(Client, Debug)]
#[client(machine = Connection, name = Redis)]
pub enum Event {
    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`CallError::may_have_run`] says of a request that no handler took that it has not run; of
    /// one that failed with a connection, [`RequestError`] says it.
    #[call]
    Send {
        /// The command.
        command: Frame,
        /// The way back.
        reply: Reply<Value, RequestError>,
    },
    /// How many working connections were lost so far. A server that keeps nothing on disk may have
    /// forgotten everything whenever this has changed.
    #[call]
    Losses(Reply<u64>),
    /// The back-off is over.
    Retry,
    /// The dialling task has ended.
    Dialled(io::Result<Socket>),
    /// Dialling, or the greeting, took too long.
    TooLate,
    /// The oldest request in flight was not answered in time.
    Unanswered,
    /// Something happened on the connection.
    Link(LinkEvent<Frame>),
}

/// Whatever bytes can be read from and written to: a test has sockets of its own.
pub type Socket = Box<dyn Io>;

/// How to dial. The machine asks for it by calling this; what it gives is run beside the handler.
pub type Dial = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = io::Result<Socket>> + Send>> + Send>;

/// Who is told of each state that is entered.
pub type Observer = Box<dyn FnMut(&Connection) + Send>;

/// The choices of whoever uses the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a caller waits for an answer unless it says otherwise.
    pub limit: Duration,
    /// How long dialling may take.
    pub connect_timeout: Duration,
    /// How long the greeting may take.
    pub handshake_timeout: Duration,
    /// How long the oldest request in flight may wait for its reply before the connection is given
    /// up.
    pub answer_timeout: Duration,
    /// The longest first wait before dialling again.
    pub backoff_first: Duration,
    /// The longest wait before dialling again.
    pub backoff_cap: Duration,
    /// Where the random numbers of the back-off begin: another one for each client of a server.
    pub seed: u64,
    /// The most requests in flight.
    pub max_in_flight: usize,
    /// The longest reply, in bytes.
    pub max_frame: usize,
    /// What becomes of requests that cannot be sent now.
    pub waiting: Waiting,
}

/// What becomes of requests that cannot be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They wait, each up to its own limit; beyond this many the next one is told that the client
    /// is full.
    Postpone(usize),
    /// They fail at once.
    Refuse,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            limit: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            handshake_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(3),
            backoff_first: Duration::from_millis(50),
            backoff_cap: Duration::from_secs(1),
            seed: 0,
            max_in_flight: 1024,
            max_frame: 1024 * 1024,
            waiting: Waiting::Postpone(1024),
        }
    }
}

/// What the client keeps in every state.
pub struct Client {
    settings: Settings,
    dial: Dial,
    backoff: Backoff,
    /// Connections that were lost after they had worked.
    losses: u64,
    observer: Option<Observer>,
}

impl Client {
    /// The data of a client that dials by `dial`.
    #[must_use]
    pub fn new(settings: Settings, dial: Dial) -> Self {
        let backoff = Backoff::new(settings.backoff_first, settings.backoff_cap, settings.seed);
        Client {
            settings,
            dial,
            backoff,
            losses: 0,
            observer: None,
        }
    }

    /// Tells `observer` of each state that is entered.
    #[must_use]
    pub fn observed_by(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The state after a failure.
    fn disconnected(&mut self, lost: Lost) -> Disconnected {
        Disconnected {
            lost: Arc::new(lost),
            delay: self.backoff.delay(),
        }
    }

    /// A request that cannot be sent now.
    fn wait(
        &self,
        command: Frame,
        reply: Reply<Value, RequestError>,
        why: RequestError,
    ) -> Next<Connection> {
        match self.settings.waiting {
            Waiting::Postpone(_) => postpone(Event::Send { command, reply }),
            Waiting::Refuse => {
                drop(reply.fail(why));
                keep()
            }
        }
    }
}

impl Handler for Connection {
    fn enter(&mut self, client: &mut Client, cx: &mut EnterCx<Self>) {
        match self {
            Self::Disconnected(s) => cx.state_timeout(s.delay, Event::Retry),
            Self::Connecting => {
                cx.state_task((client.dial)(), Event::Dialled);
                cx.state_timeout(client.settings.connect_timeout, Event::TooLate);
            }
            Self::Handshaking(_) => {
                cx.state_timeout(client.settings.handshake_timeout, Event::TooLate);
            }
            Self::Connected(_) => {}
        }
        if let Some(observer) = &mut client.observer {
            observer(self);
        }
    }

    fn handle(
        state: ConnectionAt<'_>,
        event: Event,
        client: &mut Client,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Connected(s), E::Send { command, reply }) => {
                Connected::request(s, command, reply, client, cx)
            }
            (_, E::Send { command, reply }) => {
                client.wait(command, reply, RequestError::NotConnected)
            }

            (_, E::Losses(reply)) => {
                let _ = reply.send(client.losses);
                keep()
            }

            (S::Disconnected(s), E::Retry) => s.go(Connecting),

            (S::Connecting(s), E::Dialled(Ok(socket))) => {
                match Handshaking::begin(socket, client, cx) {
                    Ok(handshaking) => s.go(handshaking),
                    Err(lost) => s.go(client.disconnected(lost)),
                }
            }
            (S::Connecting(s), E::Dialled(Err(error))) => {
                s.go(client.disconnected(Lost::Refused(error)))
            }
            (S::Connecting(s), E::TooLate) => {
                s.go(client.disconnected(Lost::ConnectTimeout(client.settings.connect_timeout)))
            }

            (S::Handshaking(s), E::Link(LinkEvent::Frame(frame))) => {
                Handshaking::greeted(s, frame, client)
            }
            (S::Handshaking(s), E::Link(LinkEvent::Closed(why))) => {
                s.go(client.disconnected(Lost::Closed(why)))
            }
            (S::Handshaking(s), E::TooLate) => {
                s.go(client.disconnected(Lost::HandshakeTimeout(client.settings.handshake_timeout)))
            }

            // What the server sends unasked, such as news of a subscription, is not a reply.
            (S::Connected(_), E::Link(LinkEvent::Frame(Frame::Push { .. }))) => keep(),
            (S::Connected(s), E::Link(LinkEvent::Frame(frame))) => {
                Connected::answer(s, frame, client, cx)
            }
            (S::Connected(s), E::Link(LinkEvent::Closed(why))) => {
                Connected::leave(s, Lost::Closed(why), client)
            }
            (S::Connected(s), E::Unanswered) => Connected::leave(
                s,
                Lost::Unresponsive(client.settings.answer_timeout),
                client,
            ),

            (_, event) => unexpected(event),
        }
    }

    fn terminate(_: &ExitReason, state: Option<&mut Self>, _: &mut Client) {
        if let Some(Self::Connected(s)) = state {
            s.fail_all(&Arc::new(Lost::Stopping));
        }
    }
}

impl Handshaking {
    /// Takes the socket and says hello.
    fn begin(socket: Socket, client: &Client, cx: &mut Cx<Connection>) -> Result<Self, Lost> {
        let config = LinkConfig::default().max_frame(client.settings.max_frame);
        let mut link = Link::open_with(config, socket, Resp, cx, Event::Link);
        match link.send(command(["HELLO", "3"])) {
            Ok(_) => Ok(Handshaking { link }),
            Err(error) => Err(Lost::Handshake(error.to_string())),
        }
    }

    fn greeted(s: In<'_, Self>, frame: Frame, client: &mut Client) -> Next<Connection> {
        let why = match frame {
            Frame::Map { .. } => {
                let (in_flight, crowded) = (InFlight::default(), false);
                // The link moves on by value: its socket is the same, and frames that have come
                // already are not lost.
                return s.go_with(|old| Connected {
                    link: old.link,
                    in_flight,
                    crowded,
                });
            }
            Frame::SimpleError { data, .. } => data.to_string(),
            other => format!("the answer is {other:?}"),
        };
        s.go(client.disconnected(Lost::Handshake(why)))
    }
}

impl Connected {
    /// Sends a request. It leaves at the end of the turn, in one write with all others of the turn.
    fn request(
        mut s: In<'_, Self>,
        command: Frame,
        reply: Reply<Value, RequestError>,
        client: &mut Client,
        cx: &mut Cx<Connection>,
    ) -> Next<Connection> {
        if s.in_flight.len() >= client.settings.max_in_flight {
            s.crowded = true;
            return client.wait(command, reply, RequestError::Busy);
        }
        match s.link.send(command) {
            Ok(mark) => {
                if s.in_flight.is_empty() {
                    cx.state_timeout(client.settings.answer_timeout, Event::Unanswered);
                }
                s.in_flight.push(reply, mark);
                keep()
            }
            // The server reads too slowly. What fills the buffer is in flight, so replies, or their
            // deadline, will come.
            Err(SendError::Full(command)) => {
                s.crowded = true;
                client.wait(command, reply, RequestError::Busy)
            }
            // The event that says why is on its way.
            Err(SendError::Closed(command)) => {
                client.wait(command, reply, RequestError::NotConnected)
            }
            Err(error) => {
                drop(reply.fail(RequestError::Invalid(error.to_string())));
                keep()
            }
        }
    }

    /// A reply belongs to the oldest request in flight.
    fn answer(
        mut s: In<'_, Self>,
        frame: Frame,
        client: &mut Client,
        cx: &mut Cx<Connection>,
    ) -> Next<Connection> {
        if !s.in_flight.answer(frame) {
            return Self::leave(s, Lost::Stray, client);
        }
        // A server that only greets has not shown that it works; one that answers has.
        client.backoff.reset();
        if s.in_flight.is_empty() {
            cx.cancel_state_timeout();
        } else {
            cx.state_timeout(client.settings.answer_timeout, Event::Unanswered);
        }
        if s.crowded && s.in_flight.len() <= client.settings.max_in_flight / 2 {
            s.crowded = false;
            return keep_and_retry();
        }
        keep()
    }

    /// Leaves the state: everybody who waits is told, and the socket closes with the struct that
    /// holds it.
    fn leave(mut s: In<'_, Self>, lost: Lost, client: &mut Client) -> Next<Connection> {
        let next = client.disconnected(lost);
        client.losses += 1;
        s.fail_all(&next.lost);
        s.go(next)
    }

    fn fail_all(&mut self, lost: &Arc<Lost>) {
        self.in_flight.fail_all(&self.link, lost);
    }
}

/// The outcome of a request.
pub type Outcome = Result<Value, CallError<RequestError>>;

impl Redis {
    /// Starts a client, as a task of the current tokio runtime. Returns at once: there is no
    /// connection yet, and there need not be a server.
    #[must_use]
    pub fn start(client: Client) -> Self {
        let builder = match client.settings.waiting {
            Waiting::Postpone(limit) => Builder::new().postponed(limit),
            Waiting::Refuse => Builder::new(),
        };
        let builder = builder.call_limit(client.settings.limit);
        builder.spawn(Connecting, client).into()
    }

    /// The state of the client, and each that it enters from here on.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// The state and the counts of the client at this moment.
    ///
    /// # Errors
    ///
    /// When the client has stopped, or does not answer within the limit.
    pub async fn inspect(&self) -> Result<Inspection, CallError> {
        self.handle.inspect().await
    }
}

/// Whether a request that failed may have run all the same.
#[must_use]
pub fn may_have_run(error: &CallError<RequestError>) -> bool {
    match error {
        CallError::Failed(RequestError::Unknown(_) | RequestError::Server(_)) => true,
        CallError::Failed(_) => false,
        other => other.may_have_run(),
    }
}

/// Dials a host and port.
#[must_use]
pub fn tcp(address: String) -> Dial {
    Box::new(move || {
        let address = address.clone();
        Box::pin(async move {
            let socket = TcpStream::connect(address).await?;
            // What a turn has to say leaves in one write: there is nothing to wait for and put
            // together.
            socket.set_nodelay(true)?;
            Ok(Box::new(socket) as Socket)
        })
    })
}
