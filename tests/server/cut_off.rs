//! A server that ends, and a peer that leaves, at any poll of what runs for a connection: the
//! acceptor, TLS, and the link of its machine.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use statem::ExitReason;
use statem::net::{Accept, Accepted, Io, Server, ServerCounts, Tls, TlsAcceptor};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::handshake::pair;
use crate::log::{Log, listen};
#[cfg(target_os = "linux")]
use crate::loopback::sockets;
use crate::support::{Door, Marks, balanced, echo, hear, lock, ms, rest, tasks};

/// Counts the polls of all that have a clone, and does something at one of them.
#[derive(Clone, Default)]
struct Fuse(Arc<Mutex<Burning>>);

#[derive(Default)]
struct Burning {
    polls: usize,
    at: usize,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Fuse {
    fn at(&self, poll: usize, then: impl FnOnce() + Send + 'static) {
        let mut burning = lock(&self.0);
        burning.at = poll;
        burning.then = Some(Box::new(then));
    }

    fn burn(&self) {
        let then = {
            let mut burning = lock(&self.0);
            burning.polls += 1;
            if burning.polls == burning.at {
                burning.then.take()
            } else {
                None
            }
        };
        if let Some(then) = then {
            then();
        }
    }

    fn is_burnt(&self) -> bool {
        let burning = lock(&self.0);
        burning.at > 0 && burning.then.is_none()
    }
}

/// A listener that burns a fuse before each poll and when it has a connection in hand, and so do the
/// connections.
struct Fused<T>(T, Fuse);

impl<A: Accept> Accept for Fused<A> {
    async fn accept(&self) -> io::Result<Accepted> {
        let mut accept = pin!(self.0.accept());
        let accepted = std::future::poll_fn(|cx| {
            self.1.burn();
            accept.as_mut().poll(cx)
        });
        let Accepted { io, peer } = accepted.await?;
        self.1.burn();
        let io = Box::new(Fused(io, self.1.clone()));
        Ok(Accepted { io, peer })
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Fused<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.1.burn();
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Fused<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.burn();
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.1.burn();
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.1.burn();
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What a client has seen when its connection has ended.
#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    goodbye: bool,
}

/// How many answers clients have had.
#[derive(Clone, Default)]
struct Answers(Arc<AtomicUsize>);

impl Answers {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often each asks.
const ASKS: usize = 3;

/// Sets up TLS, asks, and stays until the server ends.
async fn client(io: impl Io + 'static, tls: Tls, answers: Answers) -> Seen {
    let mut seen = Seen::default();
    let Ok(mut io) = tls.connect(io, "a.example").await else {
        return seen;
    };
    for _ in 0..ASKS {
        // The server may have gone.
        let _ = io.write_all(b"hello\n").await.and(io.flush().await);
        match hear(&mut io).await.as_deref() {
            Some("hello") => {
                seen.answers += 1;
                answers.0.fetch_add(1, Ordering::Relaxed);
            }
            Some("goodbye") => seen.goodbye = true,
            Some(other) => panic!("{other}"),
            None => return seen,
        }
    }
    while let Some(line) = hear(&mut io).await {
        assert_eq!(line, "goodbye");
        seen.goodbye = true;
    }
    seen
}

/// How many connections the log says were accepted, and how many closed.
fn logged(log: &Log) -> (usize, usize) {
    let lines = log.take();
    let count = |word| {
        let said = format!("message={word} connection=");
        lines
            .iter()
            .filter(|(_, line)| line.starts_with(&said))
            .count()
    };
    (count("accepted"), count("closed"))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Kill,
    Drop,
    Shutdown,
}

impl Way {
    /// Ends a server of which this is the last handle but for those that a test has.
    fn end(self, server: Server) {
        match self {
            Way::Kill => server.kill(),
            Way::Drop => drop(server),
            Way::Shutdown => {
                let shutdown = pin!(server.shutdown(ms(200)));
                let polled = shutdown.poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending());
            }
        }
    }
}

/// As many as may be open.
const LIMIT: usize = 3;

struct Rig {
    door: Door,
    marks: Marks,
    fuse: Fuse,
    tls: Tls,
    server: Server,
    clients: JoinSet<Seen>,
}

impl Rig {
    fn new((acceptor, tls): &(TlsAcceptor, Tls)) -> Self {
        let (door, marks, fuse) = (Door::default(), Marks::default(), Fuse::default());
        let own = marks.clone();
        let listener = Fused(door.listener(), fuse.clone());
        let server = Server::builder(listener, move |accepted: Accepted| echo(&own, accepted.io));
        Rig {
            server: server
                .tls(acceptor.clone())
                .limit(LIMIT)
                .acceptors(2)
                .start(),
            door,
            marks,
            fuse,
            tls: tls.clone(),
            clients: JoinSet::new(),
        }
    }

    fn knock(&mut self) -> DuplexStream {
        self.door.knock().0
    }

    fn client(&mut self) {
        let io = self.knock();
        let client = client(io, self.tls.clone(), Answers::default());
        self.clients.spawn(client);
    }
}

/// One run in which the server ends at that poll. Whether there was one.
async fn ended_at(poll: usize, way: Way, pair: &(TlsAcceptor, Tls)) -> bool {
    let (log, _guard) = listen();
    let before = tasks();
    let mut rig = Rig::new(pair);
    rig.client();
    // One that says nothing, two for the last place, of whom one waits outside.
    let silent = rig.knock();
    rig.client();
    rig.client();
    let closed = rig.server.closed();
    // A handle of the test's, by which the counts can be read, keeps the server alive.
    let other = (way != Way::Drop).then(|| rig.server.clone());
    rig.fuse.at(poll, move || way.end(rig.server));
    for _ in 0..50 {
        rest().await;
    }
    let was_there = rig.fuse.is_burnt();
    if !was_there {
        // Everything was done before: this is where it ends.
        let then = lock(&rig.fuse.0).then.take();
        then.expect("it was not done")();
    }
    let reason = timeout(ms(201), closed).await.expect("it ends");
    match way {
        Way::Kill => assert!(matches!(reason, ExitReason::Killed)),
        Way::Drop | Way::Shutdown => assert!(matches!(reason, ExitReason::Normal)),
    }
    assert!(rig.door.is_closed());
    assert_eq!(rig.marks.alive(), 0, "no machine is left");
    // Those who were not accepted are let go with the door.
    let waiting = rig.door.waiting();
    drop((rig.door, silent));
    let mut seen = Vec::new();
    while let Some(client) = timeout(ms(10), rig.clients.join_next())
        .await
        .expect("each learns of it")
    {
        seen.push(client.expect("no panic"));
    }
    assert_eq!(tasks(), before, "no task is left");
    let (accepted, over) = logged(&log);
    assert_eq!(accepted, over, "each that was accepted is settled");
    // A server that is ended does not look any more at what an acceptor has in hand.
    assert!(
        (4 - waiting).saturating_sub(accepted) <= 2,
        "{accepted} {waiting}"
    );
    let goodbyes = seen.iter().filter(|seen| seen.goodbye).count();
    if let Some(server) = other {
        let counts = balanced(&server).await;
        assert_eq!(counts.accepted, accepted as u64);
        check(&counts, way, goodbyes as u64);
    }
    was_there
}

fn check(counts: &ServerCounts, way: Way, goodbyes: u64) {
    assert_eq!((counts.refused, counts.accept_errors), (0, 0));
    match way {
        Way::Shutdown => {
            // Each machine had its last word.
            assert_eq!((goodbyes, counts.failed), (counts.started, 0), "{counts:?}");
        }
        Way::Kill | Way::Drop => assert_eq!((goodbyes, counts.ended), (0, 0), "{counts:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_at_any_poll_of_a_connection_leaves_nothing_and_balances() {
    let pair = pair();
    for way in [Way::Kill, Way::Drop, Way::Shutdown] {
        let mut poll = 1;
        loop {
            println!("{way:?} at poll {poll}");
            if !ended_at(poll, way, &pair).await {
                break;
            }
            poll += 1;
        }
        assert!(poll > 20, "{poll} polls: the fuse is in nobody's way");
    }
}

/// The end of a client that is gone at the poll of this number.
async fn leaves_at(poll: usize, pair: &(TlsAcceptor, Tls)) -> bool {
    let before = tasks();
    let mut rig = Rig::new(pair);
    rig.client();
    rest().await;
    let fuse = Fuse::default();
    let io = Fused(rig.knock(), fuse.clone());
    let task = tokio::spawn(client(io, rig.tls.clone(), Answers::default()));
    let leaves = task.abort_handle();
    fuse.at(poll, move || leaves.abort());
    // Another one begins with it.
    rig.client();
    for _ in 0..50 {
        rest().await;
    }
    let was_there = fuse.is_burnt();
    task.abort();
    let gone = task.await;
    assert!(gone.is_err_and(|error| error.is_cancelled()));
    rest().await;
    // The acceptor's is that of the server.
    let counts = rig.server.counts();
    assert_eq!((counts.accepted, counts.open()), (3, 2), "{counts:?}");
    assert_eq!(counts.unsecured + counts.ended, 1, "{counts:?}");
    assert_eq!(
        tasks(),
        before + 1 + 2 * 2,
        "the server's, and those who stay"
    );
    rig.client();
    rest().await;
    assert_eq!(rig.server.counts().open(), 3, "its place is free");
    let reason = timeout(ms(200), rig.server.shutdown(ms(200))).await;
    assert!(matches!(reason, Ok(ExitReason::Normal)));
    balanced(&rig.server).await;
    for seen in rig.clients.join_all().await {
        assert!(seen.answers == ASKS && seen.goodbye, "{seen:?}");
    }
    was_there
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_at_any_poll_harms_no_other_and_leaves_nothing() {
    let pair = pair();
    let mut poll = 1;
    while leaves_at(poll, &pair).await {
        poll += 1;
    }
    assert!(poll > 10, "{poll} polls: the fuse is in nobody's way");
}

/// One run over real sockets in which the server ends at that poll. Whether there was one.
#[cfg(target_os = "linux")]
async fn closed_at(poll: usize, way: Way, (acceptor, tls): &(TlsAcceptor, Tls)) -> bool {
    use tokio::net::{TcpListener, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it has an address").port();
    let (marks, fuse) = (Marks::default(), Fuse::default());
    let own = marks.clone();
    let server = Server::builder(Fused(listener, fuse.clone()), move |accepted: Accepted| {
        echo(&own, accepted.io)
    });
    let server = server.tls(acceptor.clone()).start();
    let closed = server.closed();
    fuse.at(poll, move || way.end(server));
    let (mut clients, answers) = (JoinSet::new(), Answers::default());
    for _ in 0..2 {
        let io = TcpStream::connect(("127.0.0.1", port)).await;
        // The server may have ended before.
        if let Ok(io) = io {
            clients.spawn(client(io, tls.clone(), answers.clone()));
        }
    }
    let answered = async {
        while !fuse.is_burnt() && answers.count() < 2 * ASKS {
            rest().await;
        }
    };
    let told = timeout(ms(5000), answered).await;
    told.expect("each has its answers, or the server ends");
    let was_there = fuse.is_burnt();
    if !was_there {
        let then = lock(&fuse.0).then.take();
        then.expect("it was not done")();
    }
    timeout(ms(5000), closed).await.expect("it ends");
    assert_eq!(
        (sockets(port), marks.alive()),
        (0, 0),
        "{way:?} at poll {poll}"
    );
    let seen = timeout(ms(5000), clients.join_all()).await;
    seen.expect("each learns of it");
    was_there
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_ends_at_any_poll_of_a_connection_leaves_no_socket() {
    let pair = pair();
    for way in [Way::Kill, Way::Drop, Way::Shutdown] {
        let mut poll = 1;
        loop {
            println!("{way:?} at poll {poll}, over sockets");
            if !closed_at(poll, way, &pair).await {
                break;
            }
            poll += 1;
        }
        assert!(poll > 10, "{poll} polls: the fuse is in nobody's way");
    }
}
