//! A relay between a client and a server on this computer, which makes faults when told to.
//!
//! In each direction it holds at most one segment; what it does not read stays in the kernel, so the
//! sender is stopped as by a slow network.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::tasks::Tasks;
use super::time::now;

/// Bytes that are passed on at once.
const SEGMENT: usize = 16 * 1024;

/// What the relay does to the bytes and to new connections, from here on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Requests pass, answers are held back.
    Hold,
    /// Answers pass, requests are held back.
    HoldRequests,
    /// Nothing passes, in either direction; what was written waits.
    Silence,
    /// A new connection is accepted and reset.
    Flap,
    /// A new connection is reset after this time.
    FlapAfter(Duration),
    /// So many bytes of answers pass on each connection, then it ends.
    Truncate(usize),
    /// Answers are garbage, but for the ends of lines.
    Corrupt,
    /// Each segment of answers is late.
    Delay(Duration),
    /// Answers pass at this many bytes a second.
    Bandwidth(usize),
}

/// The relay, a handle on it. Its tasks are the test's.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    fault: watch::Sender<Fault>,
    /// Connections up to this number are reset.
    reset: watch::Sender<usize>,
    /// Connections up to this number are black holes.
    hole: watch::Sender<usize>,
    accepted: Mutex<Vec<Instant>>,
    live: AtomicUsize,
    /// What it has had of each connection's requests, if that is kept.
    requests: Mutex<Option<BTreeMap<usize, Requests>>>,
}

/// The requests of a connection, as bytes.
#[derive(Default)]
struct Requests {
    read: Vec<u8>,
    /// How many of these were passed on.
    passed: usize,
}

impl Relay {
    /// A relay to this server, on a port of its own.
    pub(crate) async fn start(server: SocketAddr, tasks: &Tasks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server,
            fault: watch::Sender::new(Fault::None),
            reset: watch::Sender::new(0),
            hole: watch::Sender::new(0),
            accepted: Mutex::default(),
            live: AtomicUsize::new(0),
            requests: Mutex::default(),
        });
        let relay = Relay { address, shared };
        tasks.spawn(relay.clone().accept(listener, tasks.clone()));
        relay
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.shared.fault.send_replace(fault);
    }

    /// Resets the connections that there are; no end comes before.
    pub(crate) fn reset(&self) {
        self.shared.reset.send_replace(self.accepted());
    }

    /// From here on it keeps what it has had of requests, to say which they were.
    pub(crate) fn keep_requests(&self) {
        *self.requests() = Some(BTreeMap::new());
    }

    /// The keys of all requests that have come to it, in lines; and of those among them that it has
    /// passed on. What is in one and not in the other was lost with it. Of a line that has come in
    /// part the key is not known.
    pub(crate) fn keys(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let (mut read, mut passed) = (BTreeSet::new(), BTreeSet::new());
        for requests in self.requests().iter().flat_map(BTreeMap::values) {
            let (mut place, bytes) = (0, &requests.read);
            while let Some(length) = bytes[place..].iter().position(|byte| *byte == b'\n') {
                let line = std::str::from_utf8(&bytes[place..place + length]).expect("text");
                let key = line.parse().expect("a line is a key");
                place += length + 1;
                read.insert(key);
                if place <= requests.passed {
                    passed.insert(key);
                }
            }
        }
        (read, passed)
    }

    fn requests(&self) -> MutexGuard<'_, Option<BTreeMap<usize, Requests>>> {
        let requests = &self.shared.requests;
        requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what has come, if that is kept.
    fn note(&self, number: usize, note: impl FnOnce(&mut Requests)) {
        if let Some(requests) = &mut *self.requests() {
            note(requests.entry(number).or_default());
        }
    }

    /// Reads what has come and was not read, so that it counts as held.
    fn drain(&self, client: &TcpStream, number: usize) {
        if self.requests().is_none() {
            return;
        }
        // Past the runtime, which asks the kernel only after it was told that something has come.
        let client = SockRef::from(client);
        let mut segment = vec![0; SEGMENT];
        while let Ok(length @ 1..) = (&*client).read(&mut segment) {
            self.note(number, |requests| {
                requests.read.extend_from_slice(&segment[..length]);
            });
        }
    }

    /// From here on nothing passes any more on the connections that there are, and nobody is told:
    /// the kernel acknowledges what the client writes. New ones work.
    pub(crate) fn black_hole_existing(&self) {
        self.shared.hole.send_replace(self.accepted());
    }

    /// Connections that it ever accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.times().len()
    }

    /// When it accepted each.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.shared
            .accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Connections that are neither reset nor ended.
    pub(crate) fn live(&self) -> usize {
        self.shared.live.load(Ordering::Relaxed)
    }

    async fn accept(self, listener: TcpListener, tasks: Tasks) {
        while let Ok((client, _)) = listener.accept().await {
            let number = {
                let accepted = &self.shared.accepted;
                let mut accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
                accepted.push(now());
                accepted.len()
            };
            let fault = *self.shared.fault.borrow();
            if fault == Fault::Flap {
                reset(&client);
                continue;
            }
            tasks.spawn(self.clone().connection(client, number, fault));
        }
    }

    async fn connection(self, client: TcpStream, number: usize, at_first: Fault) {
        let _live = Live::new(&self.shared);
        // Reset unless it ends by itself: also when the test ends.
        let Ok(server) = TcpStream::connect(self.shared.server).await else {
            return reset(&client);
        };
        for socket in [&client, &server] {
            socket.set_nodelay(true).expect("it is a TCP socket");
            SockRef::from(socket)
                .set_linger(Some(Duration::ZERO))
                .expect("it is a TCP socket");
        }
        let mut reset = self.shared.reset.subscribe();
        let is_reset = async {
            let told = reset.wait_for(|&reset| reset >= number).await.is_ok();
            if !told {
                std::future::pending::<()>().await;
            }
        };
        let is_over = async {
            match at_first {
                Fault::FlapAfter(time) => sleep(time).await,
                _ => std::future::pending().await,
            }
        };
        let both = async {
            let up = self.pass(&client, &server, number, Way::Requests);
            let down = self.pass(&server, &client, number, Way::Answers);
            tokio::join!(up, down)
        };
        // A reset comes before what may pass from then on.
        tokio::select! {
            biased;
            () = is_reset => self.drain(&client, number),
            () = is_over => {}
            (up, down) = both => if up.is_ok() && down.is_ok() {
                for socket in [&client, &server] {
                    let _ = SockRef::from(socket).set_linger(None);
                }
            },
        }
    }

    /// Passes one direction on, until its end.
    async fn pass(
        &self,
        from: &TcpStream,
        to: &TcpStream,
        number: usize,
        way: Way,
    ) -> io::Result<()> {
        let (mut fault, mut hole) = (self.shared.fault.subscribe(), self.shared.hole.subscribe());
        let (mut segment, mut passed) = (vec![0; SEGMENT], 0);
        loop {
            from.readable().await?;
            let mut length = match from.try_read(&mut segment) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                read => read?,
            };
            let ended = length == 0;
            if way == Way::Requests {
                self.note(number, |requests| {
                    requests.read.extend_from_slice(&segment[..length]);
                });
            }
            // It is in our hands; what the fault is when it may pass decides.
            loop {
                let stops = |fault: &Fault| match fault {
                    Fault::Silence => true,
                    Fault::Hold => way == Way::Answers,
                    Fault::HoldRequests => way == Way::Requests,
                    _ => false,
                };
                if *hole.borrow_and_update() >= number {
                    std::future::pending::<()>().await;
                }
                if !stops(&fault.borrow_and_update()) {
                    break;
                }
                tokio::select! {
                    changed = fault.changed() => changed.map_err(io::Error::other)?,
                    changed = hole.changed() => changed.map_err(io::Error::other)?,
                }
            }
            let fault = if way == Way::Answers {
                *fault.borrow()
            } else {
                Fault::None
            };
            match fault {
                Fault::Delay(time) => sleep(time).await,
                Fault::Bandwidth(bytes) => {
                    length = length.min(SEGMENT);
                    sleep(
                        Duration::from_secs(1) * u32::try_from(length).expect("small")
                            / u32::try_from(bytes).expect("no more than 4 GB a second"),
                    )
                    .await;
                }
                Fault::Corrupt => {
                    let bytes = segment[..length].iter_mut();
                    bytes
                        .filter(|byte| **byte != b'\n')
                        .for_each(|byte| *byte = b'\xff');
                }
                Fault::Truncate(limit) => length = length.min(limit.saturating_sub(passed)),
                _ => {}
            }
            let mut written = 0;
            while written < length {
                to.writable().await?;
                match to.try_write(&segment[written..length]) {
                    Ok(count) => {
                        written += count;
                        if way == Way::Requests {
                            self.note(number, |requests| requests.passed += count);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            passed += length;
            if ended || matches!(fault, Fault::Truncate(limit) if passed >= limit) {
                // The write side closes; the other direction goes on.
                return SockRef::from(to).shutdown(std::net::Shutdown::Write);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Requests,
    Answers,
}

/// Closing it sends a reset.
fn reset(socket: &TcpStream) {
    SockRef::from(socket)
        .set_linger(Some(Duration::ZERO))
        .expect("it is a TCP socket");
}

struct Live(Arc<Shared>);

impl Live {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.live.fetch_add(1, Ordering::Relaxed);
        Live(shared.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An address where a connection hangs: its listener's queue is full, so that the kernel does not
/// answer. Held as long as this value.
pub(crate) struct HangingPort {
    pub(crate) address: SocketAddr,
    _listener: socket2::Socket,
    _waiting: Vec<TcpStream>,
}

impl HangingPort {
    pub(crate) async fn new() -> Self {
        let listener = bound();
        listener.listen(0).expect("a bound socket can listen");
        let address = address(&listener);
        let mut waiting = Vec::new();
        // Full when one hangs; a queue of none has room for one on Linux.
        for _ in 0..16 {
            let attempt = TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(200), attempt).await {
                Ok(socket) => waiting.push(socket.expect("it is in the queue")),
                Err(_) => {
                    return HangingPort {
                        address,
                        _listener: listener,
                        _waiting: waiting,
                    };
                }
            }
        }
        panic!("the queue of the listener does not fill");
    }
}

/// A port that refuses connections and nobody else can have. Later it can listen.
pub(crate) struct RefusingPort {
    pub(crate) address: SocketAddr,
    socket: socket2::Socket,
}

impl RefusingPort {
    pub(crate) fn new() -> Self {
        let socket = bound();
        RefusingPort {
            address: address(&socket),
            socket,
        }
    }

    pub(crate) fn listen(self) -> TcpListener {
        self.socket.listen(128).expect("a bound socket can listen");
        self.socket.set_nonblocking(true).expect("it is a socket");
        TcpListener::from_std(self.socket.into()).expect("the runtime runs")
    }
}

fn bound() -> socket2::Socket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
        .expect("there are sockets");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a port is free");
    socket
}

fn address(socket: &socket2::Socket) -> SocketAddr {
    let address = socket.local_addr().expect("it is bound");
    address.as_socket().expect("it is a TCP socket")
}
