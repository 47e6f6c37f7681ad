//! A network in memory: what becomes of each attempt to connect is the test's choice, and so is when
//! a connection breaks. On a paused clock nothing in it depends on this computer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use statem::net::{Address, Connector, Dial, Io, Resolve};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::time::Instant;

use super::server::Server;
use super::tasks::Tasks;
use super::time::now;

/// Where clients of this network connect to, unless a test says otherwise.
pub(crate) const PLACE: &str = "10.0.0.1:4000";
/// Bytes that a direction of a connection holds, unless a test says otherwise.
const ROOM: usize = 64 * 1024;

/// The network; clones are the same one.
#[derive(Clone)]
pub(crate) struct Network(Arc<Shared>);

struct Shared {
    plan: Mutex<Plan>,
    dialled: Mutex<Vec<Dialled>>,
    lines: Mutex<Vec<Arc<Line>>>,
    /// Ends of clients that are not dropped.
    open: Arc<AtomicUsize>,
    tasks: Tasks,
    /// Bytes that a direction of a new connection holds.
    room: AtomicUsize,
}

type Plan = Box<dyn FnMut(&Dialled) -> Fate + Send>;

/// An attempt to connect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialled {
    /// From 0.
    pub(crate) number: usize,
    pub(crate) address: SocketAddr,
    pub(crate) at: Instant,
}

/// What becomes of an attempt.
pub(crate) enum Fate {
    Refused,
    /// Nobody answers.
    Hangs,
    /// A server answers.
    Reaches(Server),
    /// Whoever answers closes at once.
    Dropped,
    /// The other end is the test's.
    Wired(Box<dyn Io>),
}

impl Network {
    pub(crate) fn new(tasks: &Tasks, plan: impl FnMut(&Dialled) -> Fate + Send + 'static) -> Self {
        Network(Arc::new(Shared {
            plan: Mutex::new(Box::new(plan)),
            dialled: Mutex::default(),
            lines: Mutex::default(),
            open: Arc::default(),
            tasks: tasks.clone(),
            room: AtomicUsize::new(ROOM),
        }))
    }

    /// One where this server is at every address.
    pub(crate) fn to(server: &Server, tasks: &Tasks) -> Self {
        let server = server.clone();
        Network::new(tasks, move |_| Fate::Reaches(server.clone()))
    }

    /// New connections hold so many bytes in each direction.
    pub(crate) fn with_room(self, bytes: usize) -> Self {
        self.0.room.store(bytes, Ordering::Relaxed);
        self
    }

    /// Another plan, from the next attempt on.
    pub(crate) fn plan(&self, plan: impl FnMut(&Dialled) -> Fate + Send + 'static) {
        *lock(&self.0.plan) = Box::new(plan);
    }

    /// A connector by this network.
    pub(crate) fn connector(&self) -> Connector {
        Connector::new(PLACE).dialler(self.clone())
    }

    /// All attempts so far.
    pub(crate) fn dialled(&self) -> Vec<Dialled> {
        lock(&self.0.dialled).clone()
    }

    pub(crate) fn attempts(&self) -> usize {
        lock(&self.0.dialled).len()
    }

    /// The ends of clients that are not closed.
    pub(crate) fn open(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Breaks every connection: both sides get this error, also in place of what was on its way.
    pub(crate) fn reset(&self) {
        for line in lock(&self.0.lines).drain(..) {
            line.set(|state| state.broken = Some(io::ErrorKind::ConnectionReset));
        }
    }

    /// From here on nothing passes any more on the connections that there are. New ones work.
    pub(crate) fn black_hole_existing(&self) {
        for line in lock(&self.0.lines).drain(..) {
            line.set(|state| state.hole = true);
        }
    }

    fn connection(&self) -> (Pipe, Pipe) {
        let (near, far) = duplex(self.0.room.load(Ordering::Relaxed));
        let line = Arc::<Line>::default();
        let mut lines = lock(&self.0.lines);
        // Those of which both ends are gone.
        if lines.len() == lines.capacity() {
            lines.retain(|line| Arc::strong_count(line) > 1);
        }
        lines.push(line.clone());
        self.0.open.fetch_add(1, Ordering::AcqRel);
        let open = Some(self.0.open.clone());
        let near = Pipe {
            stream: near,
            line: line.clone(),
            open,
        };
        (
            near,
            Pipe {
                stream: far,
                line,
                open: None,
            },
        )
    }
}

impl Dial for Network {
    fn dial(
        &self,
        address: &Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>> {
        let Address::Socket(address) = *address else {
            panic!("this network has no files: {address:?}");
        };
        let dialled = {
            let mut all = lock(&self.0.dialled);
            let dialled = Dialled {
                number: all.len(),
                address,
                at: now(),
            };
            all.push(dialled);
            dialled
        };
        let fate = (lock(&self.0.plan))(&dialled);
        let network = self.clone();
        Box::pin(async move {
            let near: Box<dyn Io> = match fate {
                Fate::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                Fate::Hangs => std::future::pending().await,
                Fate::Reaches(server) => {
                    let (near, far) = network.connection();
                    network.0.tasks.spawn(server.serve(far));
                    Box::new(near)
                }
                Fate::Dropped => Box::new(network.connection().0),
                Fate::Wired(io) => io,
            };
            Ok(near)
        })
    }
}

/// Names that the test gives addresses to.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<Entry>>);

#[derive(Default)]
struct Entry {
    asked: usize,
    /// `None`: there is no such name.
    addresses: Option<Vec<SocketAddr>>,
    hangs: bool,
}

impl Names {
    pub(crate) fn are(&self, addresses: &[SocketAddr]) {
        *lock(&self.0) = Entry {
            addresses: Some(addresses.to_vec()),
            hangs: false,
            asked: self.asked(),
        };
    }

    pub(crate) fn hang(&self, yes: bool) {
        lock(&self.0).hangs = yes;
    }

    pub(crate) fn asked(&self) -> usize {
        lock(&self.0).asked
    }
}

impl Resolve for Names {
    fn resolve(
        &self,
        _: &str,
        _: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let mut entry = lock(&self.0);
        entry.asked += 1;
        let (hangs, addresses) = (entry.hangs, entry.addresses.clone());
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            addresses.ok_or_else(|| io::Error::other("there is no such name"))
        })
    }
}

/// One end of a connection.
struct Pipe {
    stream: DuplexStream,
    line: Arc<Line>,
    /// Counts the ends of clients.
    open: Option<Arc<AtomicUsize>>,
}

/// What both ends of a connection share.
#[derive(Default)]
struct Line(Mutex<LineState>);

#[derive(Default)]
struct LineState {
    broken: Option<io::ErrorKind>,
    hole: bool,
    waiting: Vec<Waker>,
}

impl Line {
    fn set(&self, change: impl FnOnce(&mut LineState)) {
        let waiting = {
            let mut state = lock(&self.0);
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether something may pass; an error when it is broken.
    fn passes(&self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut state = lock(&self.0);
        if let Some(kind) = state.broken {
            return Err(kind.into());
        }
        if !state
            .waiting
            .iter()
            .any(|waker| waker.will_wake(cx.waker()))
        {
            state.waiting.push(cx.waker().clone());
        }
        Ok(!state.hole)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.line.passes(cx)? {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.line.passes(cx)? {
            // The sender's own kernel takes it.
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
