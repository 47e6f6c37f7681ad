//! The servers of the tests: one that answers lines in order, one that answers frames by their ids.
//! Both serve any byte stream: a socket, a pipe in memory, a simulated connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use statem::net::Io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::codec::{Decoder, Encoder};

use super::ledger::Ledger;
use super::protocol::{Ask, Frame, FrameCodec, Kind, What};
use super::tasks::Tasks;
use super::time::now;

/// A server: what it executed is in the ledger, whatever connection the request came by.
#[derive(Clone)]
pub(crate) struct Server {
    ledger: Ledger,
    conduct: Conduct,
    shared: Arc<Shared>,
}

struct Shared {
    orders: broadcast::Sender<Order>,
    /// Whether answers leave.
    open: watch::Sender<bool>,
    accepted: AtomicUsize,
    /// Pings answered.
    pings: AtomicUsize,
}

/// How a server behaves.
#[derive(Clone, Copy)]
pub(crate) struct Conduct {
    pub(crate) speaks: Speaks,
    pub(crate) greeting: Greeting,
    /// From the arrival of a request to its answer. Requests are executed as they arrive.
    pub(crate) delay: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Lines,
    Frames,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Greeting {
    Welcomes,
    Refuses,
    Silent,
}

/// What a server does to all of its connections.
#[derive(Clone, Copy)]
enum Order {
    Drain,
    Push(u64),
    End,
}

impl Default for Conduct {
    fn default() -> Self {
        Conduct {
            speaks: Speaks::Lines,
            greeting: Greeting::Welcomes,
            delay: Duration::ZERO,
        }
    }
}

impl Server {
    pub(crate) fn new(ledger: &Ledger, conduct: Conduct) -> Self {
        let shared = Shared {
            orders: broadcast::Sender::new(16),
            open: watch::Sender::new(true),
            accepted: AtomicUsize::new(0),
            pings: AtomicUsize::new(0),
        };
        Server {
            ledger: ledger.clone(),
            conduct,
            shared: Arc::new(shared),
        }
    }

    /// Whether answers leave. Requests are executed all the same.
    pub(crate) fn answers(&self, yes: bool) {
        self.shared.open.send_replace(yes);
    }

    /// Announces on every connection that it will end; it is served on.
    pub(crate) fn announce_drain(&self) {
        let _ = self.shared.orders.send(Order::Drain);
    }

    /// Sends on every connection what nobody has asked for.
    pub(crate) fn push(&self, key: u64) {
        let _ = self.shared.orders.send(Order::Push(key));
    }

    /// Ends every connection, after the answers that are due.
    pub(crate) fn end_connections(&self) {
        let _ = self.shared.orders.send(Order::End);
    }

    /// Connections that it ever had.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn pings(&self) -> usize {
        self.shared.pings.load(Ordering::Relaxed)
    }

    /// Listens on a free port of this computer.
    pub(crate) async fn listen(&self, tasks: &Tasks) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        self.accept_from(listener, tasks);
        address
    }

    pub(crate) fn accept_from(&self, listener: TcpListener, tasks: &Tasks) {
        let (server, connections) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).expect("it is a TCP socket");
                connections.spawn(server.clone().serve(socket));
            }
        });
    }

    /// Serves one connection to its end.
    pub(crate) async fn serve(self, mut io: impl Io) {
        self.shared.accepted.fetch_add(1, Ordering::Relaxed);
        let mut orders = self.shared.orders.subscribe();
        let mut open = self.shared.open.subscribe();
        let (mut received, mut unsent) = (BytesMut::new(), BytesMut::new());
        let mut due: VecDeque<(Instant, Reply)> = VecDeque::new();
        let mut frames = FrameCodec::new();
        loop {
            // One source at a time: what is executed when follows from the bytes alone.
            tokio::select! {
                biased;
                () = ready(&due, &mut open) => {
                    while due.front().is_some_and(|(at, _)| *at <= now()) {
                        let (_, reply) = due.pop_front().expect("there is one");
                        self.write(&reply, &mut unsent, &mut frames);
                    }
                    if io.write_all_buf(&mut unsent).await.is_err() || io.flush().await.is_err() {
                        return;
                    }
                }
                Ok(order) = orders.recv() => {
                    match order {
                        Order::Drain => self.write(&Reply::Drain, &mut unsent, &mut frames),
                        Order::Push(key) => self.write(&Reply::Push(key), &mut unsent, &mut frames),
                        Order::End => return,
                    }
                    if io.write_all_buf(&mut unsent).await.is_err() {
                        return;
                    }
                }
                read = io.read_buf(&mut received) => {
                    if !matches!(read, Ok(1..)) {
                        return;
                    }
                    while let Some(ask) = self.next(&mut received, &mut frames) {
                        if let Some(reply) = self.take(&ask) {
                            due.push_back((now() + self.conduct.delay, reply));
                        }
                    }
                }
            }
        }
    }

    fn next(&self, received: &mut BytesMut, frames: &mut FrameCodec) -> Option<Ask> {
        if self.conduct.speaks == Speaks::Frames {
            let frame = frames.decode(received).expect("clients send frames")?;
            let what = match frame.kind {
                Kind::Hello => What::Hello,
                Kind::Ping => What::Ping,
                Kind::Run => What::Run(frame.key),
                Kind::Drain | Kind::Push => panic!("no client sends {:?}", frame.kind),
            };
            return Some(Ask {
                id: frame.id,
                ..what.into()
            });
        }
        let end = received.iter().position(|&byte| byte == b'\n')?;
        let line = received.split_to(end);
        received.advance(1);
        let line = std::str::from_utf8(&line).expect("clients send text");
        let word = line
            .split(' ')
            .next()
            .expect("a line has a word, if an empty one");
        Some(match word {
            "hello" => What::Hello.into(),
            "ping" => What::Ping.into(),
            key => What::Run(
                key.parse()
                    .unwrap_or_else(|_| panic!("no request: {line:?}")),
            )
            .into(),
        })
    }

    /// Executes a request.
    fn take(&self, ask: &Ask) -> Option<Reply> {
        match ask.what {
            What::Hello => match self.conduct.greeting {
                Greeting::Welcomes => Some(Reply::Welcome(ask.id)),
                Greeting::Refuses => Some(Reply::Refused),
                Greeting::Silent => None,
            },
            What::Ping => {
                self.shared.pings.fetch_add(1, Ordering::Relaxed);
                Some(Reply::Pong(ask.id))
            }
            What::Run(key) => {
                self.ledger.execute(key);
                Some(Reply::Answer(ask.id, key))
            }
        }
    }

    fn write(&self, reply: &Reply, unsent: &mut BytesMut, frames: &mut FrameCodec) {
        if self.conduct.speaks == Speaks::Frames {
            let (id, kind, key) = match *reply {
                Reply::Welcome(id) => (id, Kind::Hello, 0),
                Reply::Pong(id) => (id, Kind::Ping, 0),
                Reply::Answer(id, key) => (id, Kind::Run, key),
                Reply::Push(key) => (0, Kind::Push, key),
                Reply::Drain => (0, Kind::Drain, 0),
                Reply::Refused => panic!("frames have no refusal"),
            };
            let frame = Frame { id, kind, key };
            return frames
                .encode(frame, unsent)
                .expect("a small frame can be written");
        }
        let line = match *reply {
            Reply::Welcome(_) => "+hello\n".to_owned(),
            Reply::Refused => "-wrong password\n".to_owned(),
            Reply::Pong(_) => "=ping\n".to_owned(),
            Reply::Answer(_, key) => format!("={key}\n"),
            Reply::Push(key) => format!("!{key}\n"),
            Reply::Drain => panic!("lines announce nothing"),
        };
        unsent.put_slice(line.as_bytes());
    }
}

/// What a server says.
enum Reply {
    Welcome(u64),
    Refused,
    Pong(u64),
    Answer(u64, u64),
    Push(u64),
    Drain,
}

/// Waits until the first answer is due and may leave.
async fn ready(due: &VecDeque<(Instant, Reply)>, open: &mut watch::Receiver<bool>) {
    let Some((at, _)) = due.front() else {
        return std::future::pending().await;
    };
    sleep_until(*at).await;
    if open.wait_for(|open| *open).await.is_err() {
        std::future::pending::<()>().await;
    }
}
