//! A connection in memory whose other end is the test.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection in memory: one end for the machine, the other for the test. It needs no runtime.
///
/// The machine's end is a byte stream to open a [`Link`](crate::net::Link) on. After the test has
/// done something to its end, [`Bench::poll`](super::Bench::poll) lets the machine see it.
///
/// ```
/// use statem::net::{Lines, Link, LinkEvent};
/// use statem::testing::{Bench, WireEnd, wire};
/// use statem::{Cx, ExitReason, Handler, Next, StateMachine, keep, stop};
///
/// /// Answers every line with the same line.
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Echo {
///     #[initial]
///     #[to(Open)]
///     Waiting,
///     #[to(Waiting)]
///     Open(Open),
/// }
///
/// struct Open {
///     link: Link<Lines>,
/// }
///
/// enum Event {
///     Accepted(WireEnd),
///     Link(LinkEvent<String>),
/// }
///
/// impl Handler for Echo {
///     fn handle(state: EchoAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (EchoAt::Waiting(s), Event::Accepted(io)) => {
///                 s.go(Open { link: Link::open(io, Lines::new(1024), cx, Event::Link) })
///             }
///             (EchoAt::Open(mut s), Event::Link(LinkEvent::Frame(line))) => match s.link.send(line) {
///                 Ok(_) => keep(),
///                 Err(error) => stop(error),
///             },
///             (EchoAt::Open(_), Event::Link(LinkEvent::Closed(_))) => stop(ExitReason::Normal),
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// let (io, peer) = wire();
/// let mut echo = Bench::new(Waiting, ());
/// echo.send(Event::Accepted(io));
/// peer.send("one\ntwo\nthr");
/// echo.poll();
/// assert_eq!(peer.take_written(), b"one\ntwo\n");
/// peer.end();
/// echo.poll();
/// assert!(peer.is_closed() && echo.stopped().is_some());
/// ```
#[must_use]
pub fn wire() -> (WireEnd, Wire) {
    let state = Arc::new(Mutex::new(State {
        accepts: usize::MAX,
        ..State::default()
    }));
    (
        WireEnd {
            state: state.clone(),
        },
        Wire { state },
    )
}

/// The test's end of a [`wire()`].
#[derive(Debug)]
pub struct Wire {
    state: Arc<Mutex<State>>,
}

/// The machine's end of a [`wire()`].
#[derive(Debug)]
pub struct WireEnd {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What the machine has not read.
    incoming: Vec<u8>,
    /// What the machine has written and the test not taken.
    written: Vec<u8>,
    /// How often the machine wrote.
    writes: usize,
    /// How many bytes more the test's end accepts.
    accepts: usize,
    /// The test's end was closed.
    ended: bool,
    /// The connection fails from here on, once everything was read.
    fails: Option<io::ErrorKind>,
    /// The machine has shut its side.
    shut: bool,
    /// The machine has dropped its end.
    dropped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Wire {
    /// Sends bytes to the machine.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        self.change(|state| state.incoming.extend_from_slice(bytes.as_ref()));
    }

    /// Closes this end: the machine reads an end after what was sent.
    pub fn end(&self) {
        self.change(|state| state.ended = true);
    }

    /// Breaks the connection: the machine's writes fail, and its reads after what was sent.
    pub fn fail(&self, kind: io::ErrorKind) {
        self.change(|state| state.fails = Some(kind));
    }

    /// Accepts only this many bytes more from the machine, then none until told again.
    pub fn accept(&self, bytes: usize) {
        self.change(|state| state.accepts = bytes);
    }

    /// Takes what the machine has written.
    #[must_use]
    pub fn take_written(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.state).written)
    }

    /// How often the machine has written: all it sends in a turn is one write.
    #[must_use]
    pub fn writes(&self) -> usize {
        lock(&self.state).writes
    }

    /// Whether the machine has shut its write side, or closed its end: it sends nothing more.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        let state = lock(&self.state);
        state.shut || state.dropped
    }

    /// Whether the machine has closed its end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        lock(&self.state).dropped
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let (reader, writer) = {
            let mut state = lock(&self.state);
            change(&mut state);
            (state.reader.take(), state.writer.take())
        };
        for waker in [reader, writer].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl AsyncRead for WireEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = lock(&self.state);
        if !state.incoming.is_empty() {
            let count = buffer.remaining().min(state.incoming.len());
            buffer.put_slice(&state.incoming[..count]);
            state.incoming.drain(..count);
            return Poll::Ready(Ok(()));
        }
        if let Some(kind) = state.fails {
            return Poll::Ready(Err(kind.into()));
        }
        if state.ended {
            return Poll::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for WireEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.state);
        if let Some(kind) = state.fails {
            return Poll::Ready(Err(kind.into()));
        }
        let count = bytes.len().min(state.accepts);
        if count == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.accepts = state.accepts.saturating_sub(count);
        if state.accepts >= usize::MAX / 2 {
            state.accepts = usize::MAX;
        }
        state.writes += 1;
        state.written.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.state).shut = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for WireEnd {
    fn drop(&mut self) {
        lock(&self.state).dropped = true;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
