//! [`Server`]: one machine for each connection that is accepted.

mod accept;
mod builder;
mod connection;
mod counts;
mod machine;
mod telemetry;
mod watched;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use accept::{Accept, Accepted};
pub use builder::ServerBuilder;
use counts::Counters;
pub use counts::ServerCounts;
pub use machine::ServerMachine;
use machine::{Event, GRACE};
use telemetry::tell;
use tokio::sync::watch::Sender;

use crate::{Driver, ExitReason, Handle, Handler, Status, Watch};

/// A server: accepts connections, and runs a machine for each of them in a task of its own.
///
/// The machine of a connection gets its byte stream and does the rest: it ends when it is done, and
/// the connection with it. One that panics harms no other. How the server itself goes is drawn at
/// [`ServerMachine`].
///
/// A clone is another handle to the same server. When the last one is dropped the server ends, and
/// all its connections are cut off. Use [`shutdown`](Server::shutdown) to let them finish. When
/// [`closed`](Server::closed) tells the end no task of the server is left.
///
/// In the log (feature `tracing`, target `statem::net::server`) each connection is opened and closed
/// at level `DEBUG`, with its number, peer, bytes and the reason of its end. A flood of connections
/// and a time without descriptors are one `WARN` each. So are connections that are given up, but for
/// one more a minute that says how many: those on which TLS is not set up, and those whose machine
/// ends by [`ExitReason::Ended`], unless that has a [`CloseReason`](super::CloseReason) of which the
/// network may be the cause.
///
/// The page [`guide::servers`](crate::guide::servers) says what each limit does, what a connection can cost, and how to test a
/// server without a network.
///
/// ```
/// use std::time::Duration;
/// use statem::net::{Accepted, Io, Lines, Link, LinkEvent, Server};
/// use statem::{Builder, Cx, EnterCx, Handler, Next, StateMachine, unexpected};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::{TcpListener, TcpStream};
///
/// /// A connection that answers each line with the same line.
/// #[derive(StateMachine)]
/// #[machine(event = Event, shutdown = Event::Leave)]
/// enum Echo {
///     #[initial]
///     #[to(Open)]
///     New(New),
///     #[to(Over)]
///     Open(Open),
///     #[terminal]
///     Over,
/// }
///
/// struct New {
///     io: Box<dyn Io>,
/// }
///
/// struct Open {
///     link: Link<Lines>,
/// }
///
/// enum Event {
///     Begin,
///     Link(LinkEvent<String>),
///     Leave,
/// }
///
/// impl Handler for Echo {
///     fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
///         if let Self::New(_) = self {
///             cx.insert(Event::Begin);
///         }
///     }
///
///     fn handle(state: EchoAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (EchoAt::New(s), Event::Begin) => s.go_with(|old| Open {
///                 link: Link::open(old.io, Lines::new(1024), cx, Event::Link),
///             }),
///             (EchoAt::Open(mut s), Event::Link(LinkEvent::Frame(line))) => match s.link.send(line) {
///                 Ok(_) => statem::keep(),
///                 Err(_) => s.go(Over), // it reads too slowly
///             },
///             (EchoAt::Open(s), Event::Link(LinkEvent::Closed(_))) => s.go(Over),
///             (EchoAt::Open(mut s), Event::Leave) => {
///                 s.link.close(Duration::from_secs(1));
///                 statem::keep()
///             }
///             (_, event) => unexpected(event),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let server = Server::builder(listener, |accepted: Accepted| {
///     Builder::<Echo>::new().build(New { io: accepted.io }, ())
/// })
/// .limit(1000)
/// .idle_timeout(Duration::from_secs(60))
/// .start();
///
/// let mut client = TcpStream::connect(address).await?;
/// client.write_all(b"hello\n").await?;
/// let mut answer = [0; 6];
/// client.read_exact(&mut answer).await?;
/// assert_eq!(&answer, b"hello\n");
///
/// drop(client);
/// server.shutdown(Duration::from_secs(5)).await;
/// let counts = server.counts();
/// assert_eq!((counts.started, counts.ended), (1, 1));
/// # Ok(())
/// # }
/// ```
#[must_use = "when the last handle is dropped the server ends"]
pub struct Server {
    handle: Handle<ServerMachine>,
    counters: Arc<Counters>,
    /// Each task of a connection has a receiver until it is gone.
    tasks: Arc<Sender<Option<Duration>>>,
}

/// What becomes of connections when as many are open as may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AtLimit {
    /// They wait in the operating system, which has a bound of its own, until one of the others has
    /// ended.
    #[default]
    Wait,
    /// They are accepted and closed at once, without a word.
    Refuse,
}

impl Server {
    /// A server that accepts by `listener`, and whose connections each run the machine that `serve`
    /// builds.
    ///
    /// `serve` is called in the task of its connection, once TLS is set up where there is any. If it
    /// panics, that connection is closed. The machine does not end by having no handles: the server
    /// keeps one.
    pub fn builder<A, M, F>(listener: A, serve: F) -> ServerBuilder
    where
        A: Accept,
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
        F: Fn(Accepted) -> (Handle<M>, Driver<M>) + Send + Sync + 'static,
    {
        ServerBuilder::new(listener, serve)
    }

    /// The state of the server, by its name in [`ServerMachine`].
    #[must_use]
    pub fn status(&self) -> Status {
        self.handle.status()
    }

    /// Follows the state of the server.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// What was counted so far; also after the end.
    #[must_use]
    pub fn counts(&self) -> ServerCounts {
        self.counters.read()
    }

    /// Closes the listening socket, asks the machine of each connection to end within `limit`, and
    /// waits for the end of all.
    ///
    /// A machine is asked as by [`Handle::shutdown`]: one with `#[machine(shutdown = ..)]` gets
    /// that event and ends by its own states, and is stopped when the limit has passed; any other
    /// one is stopped. Connections on which TLS is not set up yet are closed. What does not end even
    /// then is cut off a second later, and the server ends a second after that at the latest. Asked
    /// again, the first limit counts.
    ///
    /// Cancel safety: once it has been polled the server ends in any case.
    pub async fn shutdown(&self, limit: Duration) -> ExitReason {
        drop(self.handle.cast(Event::Drain(limit)).await);
        self.closed().await
    }

    /// Ends the server at once, and cuts its connections off: no machine of them gets an event, nor
    /// its `terminate` (N63). Does nothing to a server that has ended.
    pub fn kill(&self) {
        self.handle.kill();
    }

    /// Waits for the end of the server, and until the tasks of its connections are gone. Ready at once,
    /// and each time, after that; dropping the future loses nothing, and it does not keep the server
    /// alive.
    ///
    /// A connection that blocks its thread, which nothing can cut off, is waited for a second.
    pub fn closed(&self) -> impl Future<Output = ExitReason> + Send + use<> {
        let (closed, tasks) = (self.handle.closed(), self.tasks.clone());
        async move {
            let reason = closed.await;
            let gone = tokio::time::timeout(GRACE, tasks.closed()).await;
            if gone.is_err() {
                tell!(
                    WARN,
                    tasks = tasks.receiver_count(),
                    "the server has ended and connections of it have not: they block their threads"
                );
            }
            reason
        }
    }
}

impl Clone for Server {
    fn clone(&self) -> Self {
        Server {
            handle: self.handle.clone(),
            counters: self.counters.clone(),
            tasks: self.tasks.clone(),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("status", &self.status())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
