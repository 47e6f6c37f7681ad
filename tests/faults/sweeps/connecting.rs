//! Attempts to connect, and handshakes of TLS on both sides, are dropped after their k-th poll, for
//! every k: what was opened is closed, the peer sees the end, and the next one works.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use statem::net::{Address, Connector, Dial, Io, IoFuture, Resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::dropped::dropped_after;
use crate::near::Near;
use crate::support::count::{no_socket_is_left, no_task_is_left, sockets};
use crate::support::row::tell;
use crate::support::tasks::Tasks;
use crate::support::time::{millis, until, within};
use crate::tls::pair;

/// More polls than anything here needs.
const MOST: usize = 400;

/// A network of which is known what is open.
#[derive(Clone, Default)]
struct Network {
    /// As many as resolutions and dials that run, and streams that are held, and one for each network.
    open: Arc<()>,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
    /// The peer's ends of streams.
    peers: Arc<Mutex<Vec<DuplexStream>>>,
}

impl Network {
    /// The first endpoint resolves to an address that hangs and one that refuses; the address of
    /// the second endpoint is slow.
    fn connector(&self) -> Connector {
        Connector::new("db.example:4000")
            .or("10.0.0.3:4000")
            .resolver(self.clone())
            .dialler(self.clone())
    }

    fn dialled(&self) -> Vec<String> {
        let dialled = std::mem::take(&mut *lock(&self.dialled));
        dialled.iter().map(SocketAddr::to_string).collect()
    }

    /// All but the networks themselves: this one and what its connector has of it.
    fn is_quiet(&self, connectors: usize) -> bool {
        Arc::strong_count(&self.open) == 1 + 2 * connectors
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resolve for Network {
    fn resolve(&self, _: &str, port: u16) -> IoFuture<Vec<SocketAddr>> {
        let open = self.open.clone();
        Box::pin(async move {
            sleep(millis(20)).await;
            drop(open);
            let addresses = [1, 2].map(|last| SocketAddr::from(([10, 0, 0, last], port)));
            Ok(addresses.to_vec())
        })
    }
}

impl Dial for Network {
    fn dial(&self, address: &Address) -> IoFuture<Box<dyn Io>> {
        let Address::Socket(address) = *address else {
            panic!("this network has no files: {address:?}");
        };
        lock(&self.dialled).push(address);
        let (open, peers) = (self.open.clone(), self.peers.clone());
        Box::pin(async move {
            match address.ip().to_string().as_str() {
                "10.0.0.1" => std::future::pending().await,
                "10.0.0.2" => {
                    sleep(millis(30)).await;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
                _ => {
                    sleep(millis(40)).await;
                    let (near, far) = tokio::io::duplex(512);
                    lock(&peers).push(far);
                    Ok(Box::new(Near::new(near, open)) as Box<dyn Io>)
                }
            }
        })
    }
}

/// The end of a stream, seen from its other side; an abrupt one is an error to TLS.
async fn sees_the_end(mut io: impl Io, what: &str) {
    let mut rest = Vec::new();
    let end = within(millis(5_000), what, io.read_to_end(&mut rest)).await;
    if let Err(error) = end {
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{what}");
    }
}

const RACE: [&str; 3] = ["10.0.0.1:4000", "10.0.0.2:4000", "10.0.0.3:4000"];

#[tokio::test(start_paused = true)]
async fn an_attempt_that_races_may_be_dropped_after_any_poll() {
    for polls in 0..MOST {
        let network = Network::default();
        let mut connector = network.connector();
        let connection = dropped_after(polls, connector.connect()).await;
        let was_ready = connection.is_some();
        drop(connection);
        assert!(network.is_quiet(1), "something is open after {polls} polls");
        let dialled = network.dialled();
        assert!(RACE.starts_with(&as_text(&dialled)), "{dialled:?}");
        let peers = std::mem::take(&mut *lock(&network.peers));
        for far in peers {
            sees_the_end(far, &format!("the end after {polls} polls")).await;
        }
        if was_ready {
            tell(
                "sweeps",
                format!("{polls} attempts to connect dropped after every poll: all closed"),
            );
            return;
        }
        // An attempt that was given up has taught it nothing: the next one is as the first.
        let next = within(millis(5_000), "the next one", connector.connect()).await;
        let next = next.expect("it connects");
        assert_eq!(next.address.to_string(), RACE[2], "after {polls} polls");
        assert_eq!(as_text(&network.dialled()), RACE, "after {polls} polls");
        drop((next, connector));
        assert!(network.is_quiet(0), "something is open after {polls} polls");
        no_task_is_left().await;
    }
    panic!("it is not connected after {MOST} polls");
}

fn as_text(addresses: &[String]) -> Vec<&str> {
    addresses.iter().map(String::as_str).collect()
}

/// Whose handshake is dropped.
#[derive(Clone, Copy, Debug)]
enum Side {
    Client,
    Server,
}

/// One handshake that a side drops after so many polls, on a stream that holds so many bytes; whether
/// it was ready before.
async fn handshake(side: Side, room: usize, polls: usize) -> bool {
    let what = format!("{side:?} after {polls} polls with room for {room} bytes");
    let (acceptor, tls) = pair();
    let (near, far) = tokio::io::duplex(room);
    let open = Arc::new(());
    let near = Near::new(near, open.clone());
    let (own, other) = match side {
        Side::Client => (
            boxed(tls.connect(near, "127.0.0.1")),
            boxed(acceptor.accept(far)),
        ),
        Side::Server => (
            boxed(acceptor.accept(near)),
            boxed(tls.connect(far, "127.0.0.1")),
        ),
    };
    // The peer goes on until it sees the end.
    let ends = what.clone();
    let peer = tokio::spawn(async move {
        if let Ok(mut io) = other.await {
            // What it says may find nobody there.
            let _ = async { io.write_all(b"ping").await.and(io.flush().await) }.await;
            sees_the_end(io, &ends).await;
        }
    });
    let secured = dropped_after(polls, own).await;
    let was_ready = secured.is_some();
    if let Some(secured) = secured {
        let mut secured = secured.unwrap_or_else(|error| panic!("{what}: {error}"));
        let mut bytes = [0; 4];
        secured.read_exact(&mut bytes).await.expect("four bytes");
        assert_eq!(&bytes, b"ping");
    }
    assert_eq!(Arc::strong_count(&open), 1, "the stream is open: {what}");
    within(millis(5_000), &what, peer).await.unwrap();
    no_task_is_left().await;
    was_ready
}

type Secured = Result<Box<dyn Io>, statem::net::TlsError>;

fn boxed(
    handshake: impl Future<Output = Secured> + Send + 'static,
) -> Pin<Box<dyn Future<Output = Secured> + Send>> {
    Box::pin(handshake)
}

#[tokio::test(start_paused = true)]
async fn a_handshake_of_tls_may_be_dropped_after_any_poll_by_either_side() {
    let mut dropped = 0;
    for side in [Side::Client, Side::Server] {
        // All that a side has to say, or a little at a time.
        for room in [64 * 1024, 64] {
            for polls in 0.. {
                if handshake(side, room, polls).await {
                    break;
                }
                dropped += 1;
                assert!(polls < MOST, "{side:?} does not get through");
            }
        }
    }
    tell(
        "sweeps",
        format!("{dropped} handshakes of TLS dropped after every poll: the peer sees the end"),
    );
}

/// With sockets of this computer: none is left.
#[tokio::test]
async fn an_attempt_with_tls_may_be_dropped_after_any_poll_and_no_socket_is_left() {
    let (acceptor, tls) = pair();
    let tasks = Tasks::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tasks.clone();
    tasks.spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let handshake = acceptor.accept(socket);
            served.spawn(async move {
                if let Ok(io) = handshake.await {
                    ends_or_is_reset(io).await;
                }
            });
        }
    });
    let mut connector = Connector::new(address).tls(tls);
    for polls in 0..10_000 {
        let connection = dropped_after(polls, connector.connect()).await;
        let was_ready = connection.is_some();
        drop(connection.map(|made| made.expect("it connects")));
        // The listener alone.
        let what = format!("all is closed after {polls} polls");
        until(what, || sockets(address.port()) == 1).await;
        if was_ready {
            tell(
                "sweeps",
                format!("{polls} attempts with TLS dropped after every poll: no socket is left"),
            );
            tasks.end().await;
            no_task_is_left().await;
            no_socket_is_left(address.port()).await;
            return;
        }
    }
    panic!("it is not connected after ten thousand polls");
}

/// A socket that is closed with something unread is reset.
async fn ends_or_is_reset(mut io: Box<dyn Io>) {
    let _ = io.read_to_end(&mut Vec::new()).await;
}
