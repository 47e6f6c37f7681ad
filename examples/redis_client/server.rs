//! A small Redis server to talk to: `PING`, `HELLO`, `GET`, `SET`, `INCR` and `DEL`.
//!
//! It too is made of machines: one that listens, and one for each connection. It is here so that
//! the example runs on a computer without Redis; it has no users, no expiry and no disk.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use statem::net::{Link, LinkEvent};
use statem::{
    Cx, EnterCx, ExitReason, Guard, Handle, Handler, Next, StateMachine, keep, spawn, stop,
    unexpected,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::resp::Resp;
use super::value::Value;

/// What the server remembers. It outlives the server, as a disk would.
#[derive(Clone, Debug, Default)]
pub struct Store {
    values: Arc<Mutex<BTreeMap<Vec<u8>, Bytes>>>,
}

/// A running server. Dropped, or stopped, it takes its connections with it.
#[derive(Debug)]
pub struct Server {
    listener: Handle<Listener>,
    address: SocketAddr,
    hangs: Arc<AtomicBool>,
    store: Store,
}

/// A server that is down, and can be started again where it was.
///
/// Nobody listens at its address, and the system gives it to nobody else. A port that it has chosen
/// by itself may otherwise be some other program's when it is wanted again.
#[derive(Debug)]
pub struct Down {
    socket: TcpSocket,
    store: Store,
}

impl Server {
    /// Listens at this address; port 0 chooses one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub async fn start(address: SocketAddr, store: Store) -> io::Result<Self> {
        Self::start_with_limit(address, store, MAX_SESSIONS).await
    }

    async fn start_with_limit(address: SocketAddr, store: Store, limit: usize) -> io::Result<Self> {
        Self::serve(TcpListener::bind(address).await?, store, limit)
    }

    fn serve(socket: TcpListener, store: Store, limit: usize) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let hangs = Arc::new(AtomicBool::new(false));
        let served = Served {
            store: store.clone(),
            hangs: hangs.clone(),
        };
        let data = Serving {
            socket: Arc::new(socket),
            served,
            sessions: BTreeMap::new(),
            limit,
            next: 0,
        };
        Ok(Server {
            listener: spawn(Accepting, data),
            address,
            hangs,
            store,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on it takes commands in and answers none.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Release);
    }

    /// Ends it and its connections at once, without a goodbye: an outage, seen from the clients.
    ///
    /// # Errors
    ///
    /// If its address cannot be kept.
    pub async fn stop(self) -> io::Result<Down> {
        self.listener.stop().await;
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // As a `TcpListener` is bound: what is left of its connections does not keep it from its port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        let store = self.store;
        Ok(Down { socket, store })
    }
}

impl Down {
    /// Listens again, at the address where it was, with what it was told.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub fn start(self) -> io::Result<Server> {
        Server::serve(self.socket.listen(BACKLOG)?, self.store, MAX_SESSIONS)
    }
}

/// Connections that may wait in the operating system to be let in.
const BACKLOG: u32 = 1024;
/// The most connections at once.
const MAX_SESSIONS: usize = 256;

/// The part of the server that lets connections in.
#[derive(StateMachine)]
#[machine(event = ListenerEvent, data = Serving)]
pub enum Listener {
    /// Connections are let in.
    #[initial]
    #[to(Full = "as many as allowed")]
    Accepting,
    /// New connections wait in the operating system until one of ours ends.
    #[to(Accepting = "a connection has ended")]
    Full,
}

/// What the listener keeps.
#[derive(Debug)]
pub struct Serving {
    socket: Arc<TcpListener>,
    served: Served,
    /// The connections. They live as long as these handles: nothing else holds them.
    sessions: BTreeMap<u64, Running>,
    /// The most of them at once.
    limit: usize,
    next: u64,
}

#[derive(Debug)]
struct Running {
    session: Handle<Session>,
    /// Waits for the session's end.
    #[expect(dead_code, reason = "it is kept to be dropped with the session")]
    end: Guard,
}

/// What happens to the listener.
#[derive(Debug)]
pub enum ListenerEvent {
    /// Somebody connects.
    Accepted(io::Result<TcpStream>),
    /// A connection has ended.
    Ended(u64),
}

impl Handler for Listener {
    fn enter(&mut self, data: &mut Serving, cx: &mut EnterCx<Self>) {
        if let Self::Accepting = self {
            // The stream belongs to the state: in `Full` there is none, so nobody is let in.
            let stream = Incoming(data.socket.clone());
            cx.state_stream(stream, |next| match next {
                Some(accepted) => ListenerEvent::Accepted(accepted),
                None => ListenerEvent::Accepted(Err(io::ErrorKind::NotConnected.into())),
            });
        }
    }

    fn handle(
        state: ListenerAt<'_>,
        event: ListenerEvent,
        data: &mut Serving,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {ListenerAt as S, ListenerEvent as E};
        match (state, event) {
            (S::Accepting(s), E::Accepted(Ok(socket))) => {
                let id = data.next;
                data.next += 1;
                let session = spawn(Accepted { socket }, data.served.clone());
                let end = cx.task(session.closed(), move |_| E::Ended(id));
                data.sessions.insert(id, Running { session, end });
                if data.sessions.len() >= data.limit {
                    s.go(Full)
                } else {
                    keep()
                }
            }
            // The connection was gone before it was let in, or files have run out; the next one may
            // do. A production server would pause in the second case.
            (S::Accepting(_), E::Accepted(Err(_))) => keep(),
            (state, E::Ended(id)) => {
                data.sessions.remove(&id);
                match state {
                    S::Full(s) => s.go(Accepting),
                    S::Accepting(_) => keep(),
                }
            }
            (_, event) => unexpected(event),
        }
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, data: &mut Serving) {
        // Dropping the handles would let each session answer what it has received already. An
        // outage is not polite.
        for running in data.sessions.values() {
            running.session.kill();
        }
    }
}

/// The connections of a listening socket, as a stream.
struct Incoming(Arc<TcpListener>);

impl Stream for Incoming {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .poll_accept(cx)
            .map(|accepted| Some(accepted.map(|(socket, _)| socket)))
    }
}

/// One connection of the server.
#[derive(StateMachine)]
#[machine(event = SessionEvent, data = Served)]
pub enum Session {
    /// The socket is there; the first thing to do is to open it as a link.
    #[initial]
    #[to(Open)]
    Accepted(Accepted),
    /// Commands come in, replies go out.
    #[to(Ended = "the client has gone")]
    Open(Open),
    /// The client has gone.
    #[terminal]
    Ended,
}

/// A connection that was just let in.
#[derive(Debug)]
pub struct Accepted {
    socket: TcpStream,
}

/// A connection that is served.
#[derive(Debug)]
pub struct Open {
    link: Link<Resp>,
}

/// What a connection shares with the others.
#[derive(Clone, Debug)]
pub struct Served {
    store: Store,
    hangs: Arc<AtomicBool>,
}

/// What happens to a connection of the server.
#[derive(Debug)]
pub enum SessionEvent {
    /// The socket is to be opened.
    Begin,
    /// Something happened on it.
    Link(LinkEvent<Value>),
}

impl Handler for Session {
    fn enter(&mut self, _: &mut Served, cx: &mut EnterCx<Self>) {
        if let Self::Accepted(_) = self {
            cx.insert(SessionEvent::Begin);
        }
    }

    fn handle(
        state: SessionAt<'_>,
        event: SessionEvent,
        served: &mut Served,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {SessionAt as S, SessionEvent as E};
        match (state, event) {
            (S::Accepted(s), E::Begin) => {
                // Without this the kernel would hold small replies back; where it fails they are
                // only slower.
                let _ = s.socket.set_nodelay(true);
                s.go_with(|accepted| Open {
                    link: Link::open(accepted.socket, Resp::default(), cx, E::Link),
                })
            }
            (S::Open(_), E::Link(LinkEvent::Frame(_))) if served.hangs.load(Ordering::Acquire) => {
                keep()
            }
            (S::Open(mut s), E::Link(LinkEvent::Frame(command))) => {
                match s.link.send(served.store.execute(&command)) {
                    Ok(_) => keep(),
                    // A client that sends and does not read. A production server would stop reading
                    // it instead.
                    Err(error) => stop(ExitReason::other(error.to_string())),
                }
            }
            (S::Open(s), E::Link(LinkEvent::Closed(_))) => s.go(Ended),
            (_, event) => unexpected(event),
        }
    }
}

impl Store {
    /// Carries out one command and gives its reply.
    #[must_use]
    pub fn execute(&self, command: &Value) -> Value {
        let Some(words) = words(command) else {
            return error("ERR a command is an array of strings");
        };
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let name = words[0].to_ascii_uppercase();
        match (name.as_slice(), &words[1..]) {
            (b"PING", []) => text("PONG"),
            (b"PING", [text]) => Value::Data(Bytes::copy_from_slice(text)),
            (b"HELLO", [version]) if *version == b"3" => greeting(),
            (b"HELLO", _) => error("NOPROTO this server speaks version 3 only"),
            (b"GET", [key]) => values
                .get(*key)
                .map_or(Value::Nil, |value| Value::Data(value.clone())),
            (b"SET", [key, value]) => {
                values.insert(key.to_vec(), Bytes::copy_from_slice(value));
                text("OK")
            }
            (b"INCR", [key]) => {
                let old = values.get(*key).map_or(Some(0), |value| number(value));
                match old.and_then(|old| old.checked_add(1)) {
                    Some(new) => {
                        values.insert(key.to_vec(), Bytes::from(new.to_string()));
                        Value::Number(new)
                    }
                    None => error("ERR value is not an integer or out of range"),
                }
            }
            (b"DEL", keys) if !keys.is_empty() => {
                let removed = keys
                    .iter()
                    .map(|key| i64::from(values.remove(*key).is_some()));
                Value::Number(removed.sum())
            }
            _ => error("ERR unknown command or wrong number of arguments"),
        }
    }
}

/// The words of a command; at least one.
fn words(command: &Value) -> Option<Vec<&[u8]>> {
    let Value::Array(words) = command else {
        return None;
    };
    let words: Option<Vec<&[u8]>> = words
        .iter()
        .map(|word| match word {
            Value::Data(data) => Some(&data[..]),
            _ => None,
        })
        .collect();
    words.filter(|words| !words.is_empty())
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn greeting() -> Value {
    Value::Map(vec![
        (text("server"), text("statem-example")),
        (text("version"), text(env!("CARGO_PKG_VERSION"))),
        (text("proto"), Value::Number(3)),
    ])
}

fn text(text: &'static str) -> Value {
    Value::Data(Bytes::from_static(text.as_bytes()))
}

fn error(text: &'static str) -> Value {
    Value::Error(text.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    #[test]
    fn commands_do_what_those_of_redis_do() {
        let store = Store::default();
        let number = Value::Number;
        for (words, reply) in [
            (&["PING"][..], text("PONG")),
            (&["ping", "hello"], text("hello")),
            (&["GET", "a"], Value::Nil),
            (&["SET", "a", "x"], text("OK")),
            (&["GET", "a"], text("x")),
            (&["INCR", "n"], number(1)),
            (&["INCR", "n"], number(2)),
            (&["GET", "n"], text("2")),
            (
                &["INCR", "a"],
                error("ERR value is not an integer or out of range"),
            ),
            (&["SET", "n", "9223372036854775807"], text("OK")),
            (
                &["INCR", "n"],
                error("ERR value is not an integer or out of range"),
            ),
            (&["DEL", "a", "n", "b"], number(2)),
            (&["GET", "a"], Value::Nil),
            (
                &["HELLO", "2"],
                error("NOPROTO this server speaks version 3 only"),
            ),
            (&["HELLO", "3"], greeting()),
            (
                &["SET", "a"],
                error("ERR unknown command or wrong number of arguments"),
            ),
            (
                &["FLUSHALL"],
                error("ERR unknown command or wrong number of arguments"),
            ),
            (&[], error("ERR a command is an array of strings")),
        ] {
            let command = Value::Array(words.iter().map(|word| text(word)).collect());
            assert_eq!(store.execute(&command), reply, "{words:?}");
        }
        assert_eq!(
            store.execute(&number(1)),
            error("ERR a command is an array of strings")
        );
    }

    async fn ping(socket: &mut TcpStream) -> bool {
        let _ = socket.write_all(b"*1\r\n$4\r\nPING\r\n").await;
        let mut answer = [0; 10];
        let answered = timeout(Duration::from_millis(200), socket.read_exact(&mut answer)).await;
        matches!(answered, Ok(Ok(_))) && answer == *b"$4\r\nPONG\r\n"
    }

    #[tokio::test]
    async fn only_so_many_connections_are_let_in() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start_with_limit(address, Store::default(), 1)
            .await
            .expect("a port is free");
        let mut first = TcpStream::connect(server.address())
            .await
            .expect("it is let in");
        assert!(ping(&mut first).await);
        let mut second = TcpStream::connect(server.address())
            .await
            .expect("the system accepts it");
        assert!(!ping(&mut second).await, "there is no room");
        drop(first);
        let mut answer = [0; 10];
        timeout(Duration::from_secs(10), second.read_exact(&mut answer))
            .await
            .expect("in time")
            .expect("an answer");
        assert_eq!(&answer, b"$4\r\nPONG\r\n");
    }

    #[tokio::test]
    async fn a_server_that_is_stopped_ends_its_connections() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(address, Store::default())
            .await
            .expect("a port is free");
        let mut socket = TcpStream::connect(server.address())
            .await
            .expect("it is let in");
        assert!(ping(&mut socket).await);
        let _down = server.stop().await.expect("its address is kept");
        let ended = timeout(Duration::from_secs(10), socket.read(&mut [0; 1]))
            .await
            .expect("in time");
        assert!(matches!(ended, Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn the_address_of_a_server_that_is_down_is_kept_for_it() {
        let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Store::default());
        let server = server.await.expect("a port is free");
        let address = server.address();
        let down = server.stop().await.expect("its address is kept");
        let other = TcpSocket::new_v4().expect("there are sockets");
        let taken = other.bind(address).expect_err("it is taken").kind();
        assert_eq!(taken, io::ErrorKind::AddrInUse);
        let refused = TcpStream::connect(address).await;
        let refused = refused.expect_err("nobody listens").kind();
        assert_eq!(refused, io::ErrorKind::ConnectionRefused);

        let mut server = down.start().expect("it is its own");
        // What is left of a connection does not keep it from its port.
        for _ in 0..2 {
            assert_eq!(server.address(), address);
            let mut socket = TcpStream::connect(address).await.expect("it is let in");
            assert!(ping(&mut socket).await);
            let down = server.stop().await.expect("its address is kept");
            server = down.start().expect("it is its own");
        }
    }
}
