//! A listener that a test scripts, the machine of its connections, and the other ends of them.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use statem::net::{Accept, Accepted, Io, Link, LinkEvent, Server, ServerBuilder, ServerCounts};
use statem::{
    Builder, Cx, Driver, EnterCx, ExitReason, Handle, Handler, Next, StateMachine, keep, stop,
    unexpected,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::codec::LinesCodec;

use crate::log::somebody_listens;

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("whoever had it did not panic")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks at the paused clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Where clients knock, shared with the server that has the [`Listener`].
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<VecDeque<DuplexStream>>,
    knock: Notify,
    fails: Mutex<Option<io::ErrorKind>>,
    takes: Mutex<Duration>,
    attempts: AtomicUsize,
    closed: AtomicBool,
}

pub(crate) struct Listener(Door);

impl Door {
    pub(crate) fn listener(&self) -> Listener {
        somebody_listens();
        Listener(self.clone())
    }

    /// A client that wants to be served.
    pub(crate) fn knock(&self) -> Client {
        let (near, far) = duplex(64 * 1024);
        lock(&self.0.waiting).push_back(far);
        self.0.knock.notify_one();
        Client(near)
    }

    /// Accepting fails from here on, or no more.
    pub(crate) fn fail(&self, kind: Option<io::ErrorKind>) {
        *lock(&self.0.fails) = kind;
        self.0.knock.notify_one();
    }

    /// Each connection takes so long to be accepted.
    pub(crate) fn take(&self, time: Duration) {
        *lock(&self.0.takes) = time;
    }

    pub(crate) fn waiting(&self) -> usize {
        lock(&self.0.waiting).len()
    }

    /// How often accepting was tried.
    pub(crate) fn attempts(&self) -> usize {
        self.0.attempts.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }
}

impl Accept for Listener {
    async fn accept(&self) -> io::Result<Accepted> {
        let inner = &self.0.0;
        inner.attempts.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(kind) = *lock(&inner.fails) {
                return Err(kind.into());
            }
            let next = lock(&inner.waiting).pop_front();
            if let Some(io) = next {
                let time = *lock(&inner.takes);
                if !time.is_zero() {
                    sleep(time).await;
                }
                let io = Box::new(io);
                return Ok(Accepted { io, peer: None });
            }
            inner.knock.notified().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.0.closed.store(true, Ordering::Relaxed);
    }
}

/// The other end of a connection.
pub(crate) struct Client(pub(crate) DuplexStream);

impl Client {
    pub(crate) async fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        // The server may have gone.
        let _ = self.0.write_all(line.as_bytes()).await;
    }

    /// A line of the server's; `None` at its end.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        hear(&mut self.0).await
    }

    pub(crate) async fn ask(&mut self, line: &str) -> Option<String> {
        self.say(line).await;
        self.hear().await
    }

    /// Whether it is served: a client that waits is not answered.
    pub(crate) async fn is_served(&mut self) -> bool {
        timeout(ms(1), self.ask("are you there?")).await == Ok(Some("are you there?".to_owned()))
    }
}

pub(crate) async fn hear(io: &mut (impl Io + ?Sized)) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match io.read_u8().await {
            Ok(b'\n') => return Some(String::from_utf8(line).expect("the server writes text")),
            Ok(byte) => line.push(byte),
            Err(_) => return None,
        }
    }
}

/// Answers each line with the same one, and does what some of them say.
#[derive(StateMachine)]
#[machine(event = Event, data = Marks, shutdown = Event::Leave)]
pub(crate) enum Echo {
    #[initial]
    #[to(Open)]
    New(New),
    #[to(Over)]
    Open(Open),
    #[terminal]
    Over,
}

pub(crate) struct New {
    io: Box<dyn Io>,
}

pub(crate) struct Open {
    link: Link<LinesCodec>,
    /// Does not end when it is asked to.
    stays: bool,
}

pub(crate) enum Event {
    Begin,
    Link(LinkEvent<String>),
    Tick,
    Leave,
}

/// What the machines of a test leave behind.
#[derive(Clone, Default)]
pub(crate) struct Marks {
    /// Why links were closed, and machines ended, in this order.
    pub(crate) notes: Arc<Mutex<Vec<String>>>,
    /// One for each machine, and one of the test's.
    pub(crate) alive: Arc<()>,
    /// The most that were alive at once.
    pub(crate) most: Arc<AtomicUsize>,
}

impl Marks {
    fn note(&self, text: String) {
        lock(&self.notes).push(text);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.notes))
    }

    /// Machines that were not dropped.
    pub(crate) fn alive(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }
}

impl Handler for Echo {
    fn enter(&mut self, _: &mut Marks, cx: &mut EnterCx<Self>) {
        if let Self::New(_) = self {
            cx.insert(Event::Begin);
        }
    }

    fn handle(state: EchoAt<'_>, event: Event, marks: &mut Marks, cx: &mut Cx<Self>) -> Next<Self> {
        use {EchoAt as S, Event as E};
        match (state, event) {
            (S::New(s), E::Begin) => s.go_with(|old| Open {
                link: Link::open(old.io, LinesCodec::new(), cx, Event::Link),
                stays: false,
            }),
            (S::Open(mut s), E::Link(LinkEvent::Frame(line))) => {
                match line.as_str() {
                    "panic" => panic!("it was told to"),
                    "fail" => return stop(ExitReason::other("it was told to")),
                    "bye" => return s.go(Over),
                    "stay" => s.stays = true,
                    "tick" => cx.state_timeout(ms(100), Event::Tick),
                    _ => {}
                }
                let _ = s.link.send(line);
                keep()
            }
            (S::Open(mut s), E::Tick) => {
                let _ = s.link.send("tick".to_owned());
                cx.state_timeout(ms(100), Event::Tick);
                keep()
            }
            (S::Open(s), E::Link(LinkEvent::Closed(why))) => {
                marks.note(why.to_string());
                s.go(Over)
            }
            (S::Open(mut s), E::Leave) => {
                if !s.stays {
                    let _ = s.link.send("goodbye".to_owned());
                    s.link.close(ms(100));
                }
                keep()
            }
            (_, event) => unexpected(event),
        }
    }

    fn terminate(reason: &ExitReason, _: Option<&mut Self>, marks: &mut Marks) {
        marks.note(reason.to_string());
    }
}

pub(crate) fn echo(marks: &Marks, io: Box<dyn Io>) -> (Handle<Echo>, Driver<Echo>) {
    let built = Builder::new().build(New { io }, marks.clone());
    marks.most.fetch_max(marks.alive(), Ordering::Relaxed);
    built
}

/// A server of echoes behind a door.
pub(crate) fn server(door: &Door, marks: &Marks) -> ServerBuilder {
    let marks = marks.clone();
    Server::builder(door.listener(), move |accepted: Accepted| {
        echo(&marks, accepted.io)
    })
}

/// How many tasks there are, but for the test itself.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Lets everything happen that needs no time.
pub(crate) async fn rest() {
    sleep(ms(1)).await;
}

/// Waits until no connection is open, and checks that all of them are accounted for.
pub(crate) async fn balanced(server: &Server) -> ServerCounts {
    for _ in 0..1000 {
        if server.counts().open() == 0 {
            break;
        }
        rest().await;
    }
    let counts = server.counts();
    assert_eq!(
        counts.accepted,
        counts.refused + counts.unsecured + counts.started,
        "{counts:?}"
    );
    assert_eq!(counts.started, counts.ended + counts.failed, "{counts:?}");
    counts
}
