//! A small DNS server for the example and its tests, which misbehaves as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use statem::net::Io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::Decoder;

use super::message::{Code, Data, INTERNET, Kind, Message, Name, Question, Record};
use super::outcome::Over;
use super::tcp::Framed;

/// The longest answer in a datagram (RFC 1035, 4.2.1).
const LONGEST: usize = 512;

/// What a server does with a query instead of answering it.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    Lose,
    /// Answers after this long.
    Late(Duration),
    /// Answers twice.
    Twice,
    /// Somebody else answers first, and has guessed the id wrong.
    WrongId,
    /// Somebody else answers first, and something else.
    WrongQuestion,
    /// As the last one, and nothing more comes.
    OnlyWrongQuestion,
    /// Bytes come first that mean nothing.
    Garbage,
    /// Says that it cannot help.
    Code(Code),
    /// Over TCP: half of the answer, and the end of the connection.
    Cut,
}

/// What a server does for a query: sends these bytes, after this long, and perhaps hangs up.
#[derive(Debug)]
pub struct Reaction {
    after: Duration,
    bytes: Vec<u8>,
    hangs_up: bool,
}

/// What a server knows, and what it will do wrong. A clone is the same one.
#[derive(Clone, Default)]
pub struct Zone(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    records: Vec<Record>,
    /// What happens to the next queries for a name, in lower case.
    faults: BTreeMap<(Name, Over), VecDeque<Fault>>,
    /// What was asked.
    asked: Vec<(Question, Over)>,
    /// Connections that were accepted.
    connections: usize,
}

impl Zone {
    /// The zone `example.test`, which shows what can be shown.
    ///
    /// # Panics
    ///
    /// Never: its names are names.
    #[must_use]
    pub fn example() -> Self {
        let zone = Zone::default();
        let name = |text: &str| text.parse::<Name>().expect("it is a name");
        let texts = (0..40).map(|n| format!("text number {n}").into_bytes());
        for (owner, data) in [
            ("example.test", Data::A(Ipv4Addr::new(192, 0, 2, 1))),
            ("example.test", Data::A(Ipv4Addr::new(192, 0, 2, 2))),
            (
                "example.test",
                Data::Aaaa(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
            ),
            (
                "example.test",
                Data::Mx {
                    preference: 10,
                    exchange: name("mail.example.test"),
                },
            ),
            ("www.example.test", Data::Cname(name("example.test"))),
            ("big.example.test", Data::Txt(texts.collect())),
            ("lost.example.test", Data::A(Ipv4Addr::new(192, 0, 2, 3))),
            ("forged.example.test", Data::A(Ipv4Addr::new(192, 0, 2, 4))),
            ("cut.example.test", Data::Txt(vec![vec![b'x'; 200]; 4])),
        ] {
            zone.add(&name(owner), data);
        }
        zone.fault("lost.example.test", Over::Udp, Fault::Lose);
        zone.fault("forged.example.test", Over::Udp, Fault::WrongQuestion);
        zone.fault("cut.example.test", Over::Tcp, Fault::Cut);
        zone
    }

    /// What [`Zone::example`] has, and a name that it has not.
    #[must_use]
    pub fn tour() -> Vec<Question> {
        let ask = |name: &str, kind| name.parse().map(|name| Question::new(name, kind)).ok();
        [
            ask("example.test", Kind::A),
            ask("example.test", Kind::AAAA),
            ask("example.test", Kind::MX),
            ask("www.example.test", Kind::A),
            ask("big.example.test", Kind::TXT),
            ask("lost.example.test", Kind::A),
            ask("forged.example.test", Kind::A),
            ask("cut.example.test", Kind::TXT),
            ask("none.example.test", Kind::A),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Adds something that is known.
    pub fn add(&self, name: &Name, data: Data) {
        self.lock().records.push(Record {
            name: name.clone(),
            class: INTERNET,
            ttl: 300,
            data,
        });
    }

    /// The next query for this name that comes this way is treated so; those after it by the faults
    /// that are added later.
    ///
    /// # Panics
    ///
    /// When `name` is no name.
    pub fn fault(&self, name: &str, over: Over, fault: Fault) {
        let name: Name = name.parse().expect("a name");
        let key = (name.to_lowercase(), over);
        self.lock().faults.entry(key).or_default().push_back(fault);
    }

    /// How many queries have come this way.
    #[must_use]
    pub fn asked(&self, over: Over) -> usize {
        let inner = self.lock();
        inner.asked.iter().filter(|(_, way)| *way == over).count()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// What is to be done for this query. Nothing for what is none.
    #[must_use]
    pub fn react(&self, query: &[u8], over: Over) -> Vec<Reaction> {
        let Ok(query) = Message::decode(query) else {
            return Vec::new();
        };
        let [question] = &query.questions[..] else {
            return Vec::new();
        };
        let mut inner = self.lock();
        inner.asked.push((question.clone(), over));
        let faults = inner.faults.get_mut(&(question.name.to_lowercase(), over));
        let fault = faults.and_then(VecDeque::pop_front);
        let right = inner.answer(&query, question);
        drop(inner);

        let send = |message: &Message| Reaction {
            after: Duration::ZERO,
            bytes: written(message, over),
            hangs_up: false,
        };
        let mut wrong = right.clone();
        match fault {
            None => vec![send(&right)],
            Some(Fault::Lose) => Vec::new(),
            Some(Fault::Late(after)) => vec![Reaction {
                after,
                ..send(&right)
            }],
            Some(Fault::Twice) => vec![send(&right), send(&right)],
            Some(Fault::WrongId) => {
                wrong.id = wrong.id.wrapping_add(1);
                vec![send(&wrong), send(&right)]
            }
            Some(Fault::WrongQuestion) => {
                wrong.questions[0].name = Name::root();
                vec![send(&wrong), send(&right)]
            }
            Some(Fault::OnlyWrongQuestion) => {
                wrong.questions[0].name = Name::root();
                vec![send(&wrong)]
            }
            Some(Fault::Garbage) => {
                let garbage = Reaction {
                    bytes: b"\xffgarbage".to_vec(),
                    ..send(&right)
                };
                vec![garbage, send(&right)]
            }
            Some(Fault::Code(code)) => vec![send(&query.response(code))],
            Some(Fault::Cut) => {
                let mut half = send(&right);
                half.bytes.truncate(half.bytes.len() / 2);
                half.hangs_up = true;
                vec![half]
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn answer(&self, query: &Message, question: &Question) -> Message {
        let of = |name: &Name| {
            let name = name.clone();
            self.records.iter().filter(move |r| r.name.is_same(&name))
        };
        let known = of(&question.name).next().is_some();
        let code = if known {
            Code::NO_ERROR
        } else {
            Code::NO_SUCH_NAME
        };
        let mut message = query.response(code);
        message.flags.is_authoritative = true;
        // A name that is an alias has nothing else, and its answer is of the name behind it.
        let mut name = question.name.clone();
        for record in of(&question.name) {
            if let Data::Cname(behind) = &record.data {
                message.answers.push(record.clone());
                name = behind.clone();
            }
        }
        let right = of(&name).filter(|record| record.data.kind() == question.kind);
        message.answers.extend(right.cloned());
        message
    }
}

/// The bytes of an answer: what does not fit into a datagram is left out, and over TCP the length
/// comes first.
fn written(message: &Message, over: Over) -> Vec<u8> {
    let bytes = message.encode().unwrap_or_default();
    match over {
        Over::Udp if bytes.len() > LONGEST => {
            let mut short = message.clone();
            short.flags.is_truncated = true;
            short.answers.clear();
            short.encode().unwrap_or_default()
        }
        Over::Udp => bytes,
        Over::Tcp => {
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            [&length.to_be_bytes()[..], &bytes].concat()
        }
    }
}

/// A server on a port of this machine. Dropping it ends it.
pub struct Responder {
    address: SocketAddr,
    _tasks: JoinSet<io::Result<()>>,
}

impl Responder {
    /// Starts a server on a free port, by tasks of the current runtime.
    ///
    /// # Errors
    ///
    /// When there is no port that is free for both ways.
    pub async fn start(zone: Zone) -> io::Result<Self> {
        for _ in 0..16 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            // Somebody else may have the same number for datagrams.
            let Ok(socket) = UdpSocket::bind(address).await else {
                continue;
            };
            let mut tasks = JoinSet::new();
            tasks.spawn(datagrams(Arc::new(socket), zone.clone()));
            tasks.spawn(accept(listener, zone));
            return Ok(Responder {
                address,
                _tasks: tasks,
            });
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn datagrams(socket: Arc<UdpSocket>, zone: Zone) -> io::Result<()> {
    let mut buffer = [0; LONGEST];
    let mut late = JoinSet::new();
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        for reaction in zone.react(&buffer[..length], Over::Udp) {
            let socket = socket.clone();
            late.spawn(async move {
                tokio::time::sleep(reaction.after).await;
                drop(socket.send_to(&reaction.bytes, from).await);
            });
        }
        while late.try_join_next().is_some() {}
    }
}

async fn accept(listener: TcpListener, zone: Zone) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await?;
        connections.spawn(connection(socket, zone.clone(), Duration::from_secs(30)));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers what is asked on a connection, in the order of the answers' times, and hangs up when
/// nothing was asked for `idle`.
///
/// # Errors
///
/// Those of the connection.
pub async fn connection(io: impl Io, zone: Zone, idle: Duration) -> io::Result<()> {
    zone.lock().connections += 1;
    let (mut io, mut bytes, mut codec) = (io, BytesMut::new(), Framed::default());
    let mut due: VecDeque<(Instant, Reaction)> = VecDeque::new();
    loop {
        while let Some(query) = codec.decode(&mut bytes).map_err(io::Error::other)? {
            let query = query.encode().map_err(io::Error::other)?;
            for reaction in zone.react(&query, Over::Tcp) {
                let at = now() + reaction.after;
                let place = due.partition_point(|(other, _)| *other <= at);
                due.insert(place, (at, reaction));
            }
        }
        let next = due.front().map(|(at, _)| *at);
        let read = timeout(idle, io.read_buf(&mut bytes));
        tokio::select! {
            biased;
            () = sleep_until(next.unwrap_or_else(now)), if next.is_some() => {
                if let Some((_, reaction)) = due.pop_front() {
                    io.write_all(&reaction.bytes).await?;
                    if reaction.hangs_up {
                        return Ok(());
                    }
                }
            }
            read = read => if !matches!(read, Ok(Ok(1..))) {
                return Ok(());
            }
        }
    }
}

impl Reaction {
    /// What is sent, and after how long.
    #[must_use]
    pub fn datagram(self) -> (Duration, Vec<u8>) {
        (self.after, self.bytes)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
fn now() -> Instant {
    Instant::now()
}
