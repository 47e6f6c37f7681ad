//! The state `Open`: servers, and the queries that they were sent.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use statem::Backoff;
use statem::net::{Client, RequestError};
use statem::{Actions, ExitReason, Guard, Reply, Status, Timer};

use super::ids::{Ids, Owner};
use super::machine::{Data, Event, Opened, Resolver};
use super::message::{Message, Question};
use super::outcome::{Answered, DnsError, Failed, Over};
use super::tcp::Pipelined;
use super::udp::{Datagrams, Incoming};

/// The state in which questions are asked.
pub struct Open {
    servers: Vec<Server>,
    queries: BTreeMap<u64, Query>,
    /// The number of the next query.
    number: u64,
}

struct Server {
    address: SocketAddr,
    socket: Arc<dyn Datagrams>,
    _incoming: Guard,
    ids: Ids,
    stream: Stream,
}

/// A connection to a server.
enum Stream {
    /// None is needed.
    Closed,
    /// There is one, or one is being made.
    Open {
        client: Client<Pipelined>,
        /// Waits for its end.
        _ended: Guard,
        /// Runs while nothing is asked on it.
        idle: Timer,
    },
}

/// A question, and how far it is.
struct Query {
    question: Question,
    reply: Reply<Answered, DnsError>,
    /// How often somebody was asked.
    attempts: u32,
    /// The server of the first attempt; the others follow in turn.
    first: usize,
    /// Its id on the socket of each server that it was sent to. An answer to an earlier attempt is
    /// as good as one to the last.
    ids: Vec<Option<u16>>,
    /// By which way it goes. An answer that did not fit into a datagram will not fit into the next
    /// one either, so it stays with TCP.
    over: Over,
    phase: Phase,
    /// What came of the last attempt.
    last: Failed,
    /// The pauses after connections that failed.
    backoff: Backoff,
}

/// What a query waits for. The values that it holds are what ends when something else comes first.
enum Phase {
    /// For a datagram, or for this long.
    Datagram { _due: Timer },
    /// For an answer on a connection.
    Stream { _call: Guard },
    /// For the time of the next attempt.
    Pause { _due: Timer },
}

type Cx = Actions<Resolver>;

impl Open {
    /// Takes the sockets.
    pub(super) fn new(sockets: Vec<Opened>, cx: &mut Cx) -> Self {
        let mut servers = Vec::new();
        for (index, (address, socket)) in sockets.into_iter().enumerate() {
            let incoming = cx.stream(Incoming::new(socket.clone()), move |item| {
                let ended = || Err(io::ErrorKind::UnexpectedEof.into());
                Event::Datagram(index, item.unwrap_or_else(ended))
            });
            servers.push(Server {
                address,
                socket,
                _incoming: incoming,
                ids: Ids::default(),
                stream: Stream::Closed,
            });
        }
        Open {
            servers,
            queries: BTreeMap::new(),
            number: 0,
        }
    }

    /// How many ids must not be used.
    pub(super) fn quarantined(&self) -> u64 {
        let ids = self.servers.iter().map(|server| server.ids.quarantined());
        ids.sum::<usize>() as u64
    }

    /// Somebody asks.
    pub(super) fn ask(
        &mut self,
        question: Question,
        reply: Reply<Answered, DnsError>,
        data: &mut Data,
        cx: &mut Cx,
    ) {
        data.counts.asked += 1;
        if self.queries.len() >= data.settings.max_in_flight {
            data.counts.failed += 1;
            drop(reply.fail(DnsError::Busy));
            return;
        }
        cx.cancel_state_timeout();
        let backoff = Backoff::default()
            .first(Duration::from_millis(100))
            .cap(Duration::from_secs(1))
            .seed(data.random.u64(..));
        let query = Query {
            question,
            reply,
            attempts: 0,
            first: data.preferred.min(self.servers.len() - 1),
            ids: vec![None; self.servers.len()],
            over: Over::Udp,
            phase: Phase::Pause {
                _due: Timer::inert(),
            },
            last: Failed::Silence,
            backoff,
        };
        let number = self.number;
        self.number += 1;
        self.queries.insert(number, query);
        self.attempt(number, data, cx);
    }

    /// It is time for the next attempt: the one before was not answered.
    pub(super) fn due(&mut self, number: u64, data: &mut Data, cx: &mut Cx) {
        if let Some(query) = self.queries.get_mut(&number) {
            if let Phase::Datagram { .. } = query.phase {
                // Unless it is known why.
                if !matches!(query.last, Failed::Unreachable(_)) {
                    query.last = Failed::Silence;
                }
            }
            self.attempt(number, data, cx);
        }
    }

    /// Asks the next server in turn, by the way that the query goes.
    fn attempt(&mut self, number: u64, data: &mut Data, cx: &mut Cx) {
        let Some(query) = self.queries.get_mut(&number) else {
            return;
        };
        if query.reply.is_closed() {
            return self.end(number, None, data, cx);
        }
        let servers = self.servers.len();
        let round = usize::try_from(query.attempts).unwrap_or(usize::MAX) / servers;
        if round >= usize::try_from(data.settings.rounds).unwrap_or(usize::MAX) {
            let server = self.servers[query.server(servers)].address;
            let error = DnsError::NoAnswer {
                attempts: query.attempts,
                server,
                last: query.last.clone(),
            };
            return self.end(number, Some(Err(error)), data, cx);
        }
        query.attempts += 1;
        let server = query.server(servers);
        match query.over {
            Over::Udp => self.send(number, server, round, data, cx),
            Over::Tcp => self.call(number, server, data, cx),
        }
    }

    /// Sends a datagram.
    fn send(&mut self, number: u64, index: usize, round: usize, data: &mut Data, cx: &mut Cx) {
        let server = &mut self.servers[index];
        let query = self
            .queries
            .get_mut(&number)
            .expect("the caller has seen it");
        let known = query.ids[index].or_else(|| server.ids.take(number, &mut data.random));
        let Some(id) = known else {
            return self.end(number, Some(Err(DnsError::Busy)), data, cx);
        };
        query.ids[index] = Some(id);
        query.last = Failed::Silence;
        let bytes = Message::query(id, query.question.clone()).encode();
        // A name has 255 bytes at most.
        let bytes = bytes.expect("a question is short");
        match server.socket.send(&bytes) {
            Ok(()) => {
                data.counts.sent += 1;
                server.ids.sent(id);
            }
            // The timeout does what is to be done.
            Err(error) => query.last = Failed::Unreachable(Arc::new(error)),
        }
        let doubled = 1_u32.checked_shl(u32::try_from(round).unwrap_or(u32::MAX));
        let timeout = data
            .settings
            .timeout
            .saturating_mul(doubled.unwrap_or(u32::MAX))
            .min(data.settings.longest_timeout);
        query.phase = Phase::Datagram {
            _due: cx.timer(timeout, Event::Due(number)),
        };
    }

    /// A datagram has come.
    pub(super) fn received(&mut self, index: usize, bytes: &[u8], data: &mut Data, cx: &mut Cx) {
        let server = &mut self.servers[index];
        // What is not believed changes nothing: the true answer may be on its way.
        let Ok(message) = Message::decode(bytes) else {
            data.counts.malformed += 1;
            return;
        };
        let number = match server.ids.owner(message.id) {
            Owner::Query(number) => number,
            Owner::Gone => {
                data.counts.late += 1;
                server.ids.answered(message.id);
                return;
            }
            Owner::Nobody => {
                data.counts.stray += 1;
                return;
            }
        };
        let query = self.queries.get_mut(&number).expect("it has an id");
        if !message.answers(&query.question) {
            data.counts.mismatched += 1;
            return;
        }
        server.ids.answered(message.id);
        if let Over::Tcp = query.over {
            // A late copy of what was truncated, or of an attempt that was overtaken.
            data.counts.late += 1;
        } else if message.flags.is_truncated {
            data.counts.truncated += 1;
            query.over = Over::Tcp;
            self.call(number, index, data, cx);
        } else {
            self.answered(number, index, message, data, cx);
        }
    }

    /// A datagram did not arrive: everybody whose last one went there knows.
    pub(super) fn unreachable(
        &mut self,
        index: usize,
        error: io::Error,
        data: &mut Data,
        cx: &mut Cx,
    ) {
        let (error, servers) = (Arc::new(error), self.servers.len());
        let mut told = Vec::new();
        for (&number, query) in &mut self.queries {
            if matches!(query.phase, Phase::Datagram { .. }) && query.server(servers) == index {
                query.last = Failed::Unreachable(error.clone());
                told.push(number);
            }
        }
        for number in told {
            // When all have been asked in this round, the next one waits for its time: a server
            // that is being restarted is soon back.
            if self.is_another_left(number) {
                self.attempt(number, data, cx);
            }
        }
    }

    /// Asks over the connection to a server, and makes it if there is none.
    fn call(&mut self, number: u64, index: usize, data: &mut Data, cx: &mut Cx) {
        let client = self.servers[index].connected(index, data, cx);
        let query = self
            .queries
            .get_mut(&number)
            .expect("the caller has seen it");
        // The client gives it an id.
        let message = Message::query(0, query.question.clone());
        let limit = data.settings.tcp_timeout;
        let call = async move { client.call(message).limit(limit).await };
        query.phase = Phase::Stream {
            _call: cx.task(call, move |outcome| Event::OverTcp(number, outcome)),
        };
    }

    /// A query over TCP has its outcome.
    pub(super) fn over_tcp(
        &mut self,
        number: u64,
        outcome: Result<Message, RequestError>,
        data: &mut Data,
        cx: &mut Cx,
    ) {
        let servers = self.servers.len();
        let Some(query) = self.queries.get_mut(&number) else {
            return;
        };
        let index = query.server(servers);
        query.phase = Phase::Pause {
            _due: Timer::inert(),
        };
        match outcome {
            Ok(message) if message.answers(&query.question) => {
                self.answered(number, index, message, data, cx);
            }
            // Whoever mixes up answers is not believed in anything else: the connection goes, and
            // the other queries on it are told so and asked again.
            Ok(_) => {
                data.counts.mismatched += 1;
                data.counts.lost += 1;
                self.servers[index].stream = Stream::Closed;
                self.failed(number, Failed::Mismatched, data, cx);
            }
            // To ask twice does no harm, so it does not matter whether the first time arrived.
            Err(error) => self.failed(number, Failed::Connection(error), data, cx),
        }
        self.rest(index, data, cx);
    }

    /// An answer to the question has come.
    fn answered(
        &mut self,
        number: u64,
        index: usize,
        message: Message,
        data: &mut Data,
        cx: &mut Cx,
    ) {
        let query = &self.queries[&number];
        if message.flags.code.is_about_the_name() {
            data.preferred = index;
            let answered = Answered {
                message,
                server: self.servers[index].address,
                over: query.over,
                attempts: query.attempts,
            };
            return self.end(number, Some(Ok(answered)), data, cx);
        }
        let failed = Failed::Code(message.flags.code);
        if index != query.server(self.servers.len()) {
            // An earlier server cannot help; the last one may.
        } else if self.is_another_left(number) {
            self.failed(number, failed, data, cx);
        } else {
            let error = DnsError::NoAnswer {
                attempts: query.attempts,
                server: self.servers[index].address,
                last: failed,
            };
            self.end(number, Some(Err(error)), data, cx);
        }
    }

    /// An attempt has come to nothing. The next server is asked at once; before the first one is
    /// asked again there is a pause.
    fn failed(&mut self, number: u64, last: Failed, data: &mut Data, cx: &mut Cx) {
        let another = self.is_another_left(number);
        let Some(query) = self.queries.get_mut(&number) else {
            return;
        };
        query.last = last;
        if another {
            self.attempt(number, data, cx);
        } else {
            let pause = query.backoff.delay();
            query.phase = Phase::Pause {
                _due: cx.timer(pause, Event::Due(number)),
            };
        }
    }

    /// Whether there is a server that was not asked in this round.
    fn is_another_left(&self, number: u64) -> bool {
        let servers = u32::try_from(self.servers.len()).unwrap_or(u32::MAX);
        let query = self.queries.get(&number);
        query.is_some_and(|query| !query.attempts.is_multiple_of(servers))
    }

    /// The query has its outcome, or nobody waits for it.
    fn end(
        &mut self,
        number: u64,
        outcome: Option<Result<Answered, DnsError>>,
        data: &mut Data,
        cx: &mut Cx,
    ) {
        let Some(query) = self.queries.remove(&number) else {
            return;
        };
        for (index, id) in query.ids.into_iter().enumerate() {
            if let Some(id) = id {
                let after = data.settings.quarantine;
                let quarantine = || cx.timer(after, Event::Released(index, id));
                self.servers[index].ids.leave(id, quarantine);
            }
        }
        let (count, told) = match outcome {
            Some(Ok(answered)) => (
                &mut data.counts.answered,
                query.reply.send(answered).is_ok(),
            ),
            Some(Err(error)) => (&mut data.counts.failed, query.reply.fail(error).is_ok()),
            None => (&mut data.counts.given_up, true),
        };
        if told {
            *count += 1;
        } else {
            data.counts.given_up += 1;
        }
        self.idle(data, cx);
    }

    /// Begins to wait for the end of the state, if there is nothing else to wait for.
    pub(super) fn idle(&self, data: &Data, cx: &mut Cx) {
        let closed = |server: &Server| matches!(server.stream, Stream::Closed);
        if self.queries.is_empty() && self.servers.iter().all(closed) {
            cx.state_timeout(data.settings.idle, Event::Idle);
        }
    }

    /// Begins to wait for the end of a connection, if nothing is asked on it.
    fn rest(&mut self, index: usize, data: &Data, cx: &mut Cx) {
        let servers = self.servers.len();
        let asked = self.queries.values().any(|query| {
            matches!(query.phase, Phase::Stream { .. }) && query.server(servers) == index
        });
        if let Stream::Open { idle, .. } = &mut self.servers[index].stream
            && !asked
        {
            *idle = cx.timer(data.settings.tcp_idle, Event::TcpIdle(index));
        }
    }

    /// Nothing was asked on a connection for a while: it is closed, and made again when it is
    /// needed (RFC 7766, 6.2.3).
    pub(super) fn tcp_idle(&mut self, index: usize, data: &mut Data, cx: &mut Cx) {
        data.counts.idle += 1;
        // The last handle of the client goes, and with it the client and its connection.
        self.servers[index].stream = Stream::Closed;
        self.idle(data, cx);
    }

    /// A connection has ended: the server may do that whenever it likes. It is made again when
    /// something is to be asked.
    pub(super) fn tcp_ended(&mut self, index: usize, _: &ExitReason, data: &mut Data, cx: &mut Cx) {
        data.counts.lost += 1;
        self.servers[index].stream = Stream::Closed;
        self.idle(data, cx);
    }

    /// Nobody answers any more with an id that was left.
    pub(super) fn released(&mut self, index: usize, id: u16) {
        self.servers[index].ids.release(id);
    }
}

impl Server {
    /// The client of its connection: the one that there is, or one that connects.
    fn connected(&mut self, index: usize, data: &mut Data, cx: &mut Cx) -> Client<Pipelined> {
        if let Stream::Open { client, idle, .. } = &mut self.stream
            && !matches!(client.status(), Status::Stopped(_))
        {
            *idle = Timer::inert();
            return client.clone();
        }
        if let Stream::Open { .. } = self.stream {
            // It has ended, and the event that says so is overtaken.
            data.counts.lost += 1;
        }
        data.counts.connections += 1;
        // By itself the ready client would connect again as soon as the server hangs up. A DNS
        // client does that when it has something to ask.
        let client = Client::builder(Pipelined, data.network.connector(self.address))
            .stop_on_disconnect()
            .start();
        let ended = client.closed();
        self.stream = Stream::Open {
            client: client.clone(),
            _ended: cx.task(ended, move |reason| Event::TcpEnded(index, reason)),
            idle: Timer::inert(),
        };
        client
    }
}

impl Query {
    /// The server of the last attempt, of so many.
    fn server(&self, servers: usize) -> usize {
        let attempt = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        (self.first + attempt.saturating_sub(1)) % servers
    }
}
