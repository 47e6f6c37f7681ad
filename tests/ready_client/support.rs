//! A network in memory, a protocol in lines, and what every test asserts of its client.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::BytesMut;
use statem::Backoff;
use statem::net::{
    Address, Client, ClientBuilder, ClientCounts, Connector, Dial, Handshake, Io, NotSent,
    Protocol, Received, RequestError, Unknown,
};
use statem::testing::{Wire, wire};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::codec::{Decoder, Encoder, LinesCodec, LinesCodecError};

use crate::log::somebody_listens;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Lets everything happen that can without the clock, and moves it by a millisecond.
pub(crate) async fn settle() {
    tokio::time::sleep(MS).await;
}

/// The time of the test, which is paused.
#[expect(clippy::disallowed_methods, reason = "a test measures from outside")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until something holds, for a quarter of an hour at most.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let start = now();
    while !holds() {
        assert!(start.elapsed() < 900 * SECOND, "it does not happen");
        settle().await;
    }
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Accept,
    Refuse,
    Hang,
    /// Accepts and resets.
    Reset,
    /// Accepts, and takes no byte.
    Full,
}

/// Where the client under test connects to. A clone is the same network.
#[derive(Clone)]
pub(crate) struct Network(Arc<Mutex<Plan>>);

struct Plan {
    fate: Fate,
    attempts: Vec<Instant>,
    ports: Vec<u16>,
    accepted: VecDeque<Wire>,
}

impl Network {
    pub(crate) fn new(fate: Fate) -> Self {
        somebody_listens();
        Network(Arc::new(Mutex::new(Plan {
            fate,
            attempts: Vec::new(),
            ports: Vec::new(),
            accepted: VecDeque::new(),
        })))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().expect("nobody panics with it")
    }

    pub(crate) fn now(&self, fate: Fate) {
        self.plan().fate = fate;
    }

    /// When attempts began.
    pub(crate) fn attempts(&self) -> Vec<Instant> {
        self.plan().attempts.clone()
    }

    /// Where to.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.plan().ports.clone()
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector::new("127.0.0.1:4000").dialler(self.clone())
    }

    /// The peer of the oldest connection that was not taken yet.
    pub(crate) fn peer(&self) -> Peer {
        let wire = self.plan().accepted.pop_front();
        Peer {
            wire: wire.expect("there is a connection"),
        }
    }

    pub(crate) fn has_peer(&self) -> bool {
        !self.plan().accepted.is_empty()
    }
}

impl Dial for Network {
    fn dial(
        &self,
        address: &Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>> {
        let mut plan = self.plan();
        plan.attempts.push(now());
        if let Address::Socket(address) = address {
            plan.ports.push(address.port());
        }
        let (near, far) = wire();
        match plan.fate {
            Fate::Accept => plan.accepted.push_back(far),
            Fate::Full => {
                far.accept(0);
                plan.accepted.push_back(far);
            }
            Fate::Reset => far.fail(io::ErrorKind::ConnectionReset),
            Fate::Refuse => {
                return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
            }
            Fate::Hang => return Box::pin(std::future::pending()),
        }
        Box::pin(async move { Ok(Box::new(near) as Box<dyn Io>) })
    }
}

/// The other end of a connection.
pub(crate) struct Peer {
    pub(crate) wire: Wire,
}

impl Peer {
    /// The lines that have come since this was last asked.
    pub(crate) fn heard(&self) -> Vec<String> {
        let text = String::from_utf8(self.wire.take_written()).expect("it is text");
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn say(&self, line: &str) {
        self.wire.send(format!("{line}\n"));
    }

    /// Answers every line that has come with itself in capitals.
    pub(crate) fn answer(&self) -> usize {
        let lines = self.heard();
        for line in &lines {
            self.say(&line.to_uppercase());
        }
        lines.len()
    }

    pub(crate) fn reset(&self) {
        self.wire.fail(io::ErrorKind::ConnectionReset);
    }
}

/// A protocol in lines, in order, or by ids that stand before the line.
///
/// A line of the peer that begins with `!` is pushed, with `?` is answered at once, `drain` announces
/// the end, `bad` may not come, and an empty one is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    pub(crate) hello: Option<&'static str>,
    pub(crate) ids: Option<RangeInclusive<u64>>,
    pub(crate) pings: bool,
    /// What it says of its own accord after the first greeting cannot be written.
    pub(crate) mute: bool,
}

impl Lines {
    fn own(&self, line: &str) -> String {
        let end = if self.mute { "\n" } else { "" };
        format!("{line}{end}")
    }
}

impl Protocol for Lines {
    type Codec = Codec;
    type Request = String;
    type Response = String;

    fn codec(&self) -> Codec {
        Codec(LinesCodec::new())
    }

    fn hello(&mut self, out: &mut Vec<String>) -> Handshake {
        match self.hello {
            None => Handshake::Done,
            Some("impossible") => Handshake::Failed("no such greeting".into()),
            Some(hello) => {
                out.push(hello.to_owned());
                Handshake::Continue
            }
        }
    }

    fn greeted(&mut self, frame: String, out: &mut Vec<String>) -> Handshake {
        match &*frame {
            "welcome" => Handshake::Done,
            "who" => {
                out.push(self.own("me"));
                Handshake::Continue
            }
            "no" => {
                // Nobody hears it: the connection is given up.
                out.push("bye".to_owned());
                Handshake::Refused("wrong password".into())
            }
            other => Handshake::Failed(other.into()),
        }
    }

    fn receive(&mut self, line: String, out: &mut Vec<String>) -> Received<String> {
        match &*line {
            "" => Received::Ignore,
            "drain" => Received::Drain,
            "bad" => Received::Violation("a bad line".into()),
            "panic" => panic!("a bad protocol"),
            pushed if pushed.starts_with('!') => Received::Push(line),
            asked if asked.starts_with('?') => {
                out.push(self.own(&asked.replace('?', "=")));
                Received::Ignore
            }
            _ if self.ids.is_none() => Received::Answer(line),
            answer => match answer.split_once(' ') {
                Some((id, text)) => match id.parse() {
                    Ok(id) => Received::AnswerTo(id, text.to_owned()),
                    Err(error) => Received::Violation(error.into()),
                },
                None => Received::Violation("no id".into()),
            },
        }
    }

    fn ids(&self) -> Option<RangeInclusive<u64>> {
        self.ids.clone()
    }

    fn stamp(&self, request: &mut String, id: u64) {
        *request = format!("{id} {request}");
    }

    fn is_long(&self, request: &String) -> bool {
        request.starts_with("long")
    }

    fn replay(&self, request: &String) -> Option<String> {
        request.starts_with("get").then(|| request.clone())
    }

    fn ping(&mut self) -> Option<String> {
        self.pings.then(|| self.own("ping"))
    }
}

/// Lines, of which one with a line feed cannot be written.
pub(crate) struct Codec(LinesCodec);

impl Decoder for Codec {
    type Item = String;
    type Error = LinesCodecError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<String>, LinesCodecError> {
        self.0.decode(bytes)
    }

    // A line without an end is none.
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<String>, LinesCodecError> {
        self.0.decode(bytes)
    }
}

impl Encoder<String> for Codec {
    type Error = LinesCodecError;

    fn encode(&mut self, line: String, bytes: &mut BytesMut) -> Result<(), LinesCodecError> {
        if line.contains('\n') {
            return Err(LinesCodecError::MaxLineLengthExceeded);
        }
        self.0.encode(line, bytes)
    }
}

pub(crate) fn builder(network: &Network, protocol: Lines) -> ClientBuilder<Lines> {
    Client::builder(protocol, network.connector())
        .backoff(Backoff::default().seed(1))
        .seed(1)
}

/// A client on a connection, and the peer.
pub(crate) async fn connected(network: &Network) -> (Client<Lines>, Peer) {
    started(network, builder(network, Lines::default())).await
}

pub(crate) async fn started(
    network: &Network,
    builder: ClientBuilder<Lines>,
) -> (Client<Lines>, Peer) {
    let client = builder.start();
    client.ready().await.expect("it connects");
    (client, network.peer())
}

pub(crate) type Outcome = Result<String, RequestError>;

/// Asks in a task of its own.
pub(crate) fn ask(client: &Client<Lines>, line: &str) -> JoinHandle<Outcome> {
    let (client, line) = (client.clone(), line.to_owned());
    tokio::spawn(async move { client.call(line).await })
}

/// The outcome of a request that must have one by now.
pub(crate) async fn outcome(asked: JoinHandle<Outcome>) -> Outcome {
    settle().await;
    assert!(asked.is_finished(), "it has no outcome yet");
    asked.await.expect("nobody panics")
}

pub(crate) fn name(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => answer.clone(),
        Err(RequestError::NotSent(why)) => match why {
            NotSent::Disconnected(_) => "NotSent(Disconnected)",
            NotSent::TimedOut => "NotSent(TimedOut)",
            NotSent::QueueFull => "NotSent(QueueFull)",
            NotSent::Displaced => "NotSent(Displaced)",
            NotSent::Busy => "NotSent(Busy)",
            NotSent::Stopping => "NotSent(Stopping)",
            NotSent::Invalid(_) => "NotSent(Invalid)",
            NotSent::Closed(_) => "NotSent(Closed)",
            _ => "NotSent",
        }
        .to_owned(),
        Err(RequestError::Unknown(why)) => match why {
            Unknown::Lost(_) => "Unknown(Lost)",
            Unknown::TimedOut => "Unknown(TimedOut)",
            _ => "Unknown",
        }
        .to_owned(),
        Err(RequestError::Protocol(_)) => "Protocol".to_owned(),
        Err(RequestError::Stopped { may_have_run, .. }) => format!("Stopped({may_have_run})"),
        Err(other) => format!("{other:?}"),
    }
}

pub(crate) fn state(client: &Client<Lines>) -> String {
    match client.status() {
        statem::Status::Running(state) => state.to_owned(),
        other => format!("{other:?}"),
    }
}

/// F44: when nothing waits and nothing is in flight, every count has its other side.
#[track_caller]
pub(crate) fn balanced(counts: ClientCounts) -> ClientCounts {
    assert_eq!(counts.accepted, counts.sent + counts.not_sent, "{counts:?}");
    let settled = counts.ok + counts.unknown + counts.protocol + counts.stopped;
    assert_eq!(counts.sent, settled, "{counts:?}");
    counts
}

/// Ends the client. Nothing is left of it, and its counts balance.
pub(crate) async fn end(client: Client<Lines>) -> ClientCounts {
    client.stop().await;
    let counts = balanced(client.counts());
    let ended = counts.connects_succeeded + counts.connects_failed + counts.connects_abandoned;
    assert_eq!(counts.connects, ended, "{counts:?}");
    assert_eq!(counts.ups, counts.downs, "{counts:?}");
    drop(client);
    settle().await;
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(tasks, 0, "tasks are left");
    counts
}
