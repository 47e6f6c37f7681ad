//! [`Connector`]: from endpoints to a byte stream.

mod endpoint;
mod error;
mod health;
mod race;
mod system;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use endpoint::{Address, Endpoint, InvalidEndpoint};
pub use error::{ConnectCause, ConnectError, ConnectFailure};
pub use system::{Dial, IoFuture, Resolve, SystemDialler, SystemResolver};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsAcceptor, TlsError};

use super::Io;
use health::Health;
use race::Race;

/// Connects to the first of its endpoints that can be connected to.
///
/// Each attempt goes through the endpoints in their order. A name is resolved when its turn comes,
/// once an attempt. Addresses are dialled one beside the other as RFC 8305 says: the next one
/// starts 250 ms after the last or as soon as one fails, IPv6 and IPv4 in turn; the first that
/// connects wins, and the others are closed. With TLS (feature `tls`) the winner does the
/// handshake; if that fails, the attempt goes on with what is left. At most 32 addresses of a name
/// are tried.
///
/// Resolving, connecting and TLS have a limit each, for each name and address; there is none for
/// the attempt as a whole. All time is that of the tokio runtime, which a test may pause.
///
/// An endpoint that failed goes to the end of the order for 30 s. So does one that the user says
/// has [`failed`](Connector::failed): one that accepts and then refuses, or hangs up.
///
/// A clone has the same settings, knows what is known of the endpoints so far, and learns by
/// itself from there on.
///
/// ```
/// use std::time::Duration;
/// use statem::Backoff;
/// use statem::net::{ConnectError, Connection, Connector, Lines, Link, LinkEvent};
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, keep};
///
/// /// Is connected whenever it can be.
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Way)]
/// enum Session {
///     #[to(Connecting)]
///     Waiting,
///     #[initial]
///     #[to(Connected, Waiting)]
///     Connecting,
///     #[to(Waiting)]
///     Connected(Connected),
/// }
///
/// struct Connected {
///     link: Link<Lines>,
/// }
///
/// struct Way {
///     connector: Connector,
///     backoff: Backoff,
/// }
///
/// enum Event {
///     Try,
///     Tried(Result<Connection, ConnectError>),
///     Link(LinkEvent<String>),
///     Stable,
/// }
///
/// impl Handler for Session {
///     fn enter(&mut self, way: &mut Way, cx: &mut EnterCx<Self>) {
///         match self {
///             Self::Waiting => cx.state_timeout(way.backoff.delay(), Event::Try),
///             Self::Connecting => cx.state_task(way.connector.connect(), Event::Tried),
///             Self::Connected(_) => cx.state_timeout(Duration::from_secs(60), Event::Stable),
///         }
///     }
///
///     fn handle(state: SessionAt<'_>, event: Event, way: &mut Way, cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (SessionAt::Waiting(s), Event::Try) => s.go(Connecting),
///             (SessionAt::Connecting(s), Event::Tried(Ok(connection))) => s.go(Connected {
///                 link: Link::open(connection.io, Lines::new(1024), cx, Event::Link),
///             }),
///             (SessionAt::Connecting(s), Event::Tried(Err(error))) => {
///                 eprintln!("{error}");
///                 s.go(Waiting)
///             }
///             (SessionAt::Connected(_), Event::Stable) => {
///                 way.backoff.reset();
///                 keep()
///             }
///             (SessionAt::Connected(mut s), Event::Link(LinkEvent::Frame(line))) => {
///                 let _ = s.link.send(line);
///                 keep()
///             }
///             (SessionAt::Connected(s), Event::Link(LinkEvent::Closed(_))) => s.go(Waiting),
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let connector = Connector::new("unix:/run/db.sock")
///     .or("127.0.0.1:4000")
///     .connect_timeout(Duration::from_secs(2));
/// let session = statem::spawn::<Session>(Connecting, Way { connector, backoff: Backoff::default() });
/// # session.stop().await;
/// # }
/// ```
#[must_use]
pub struct Connector {
    endpoints: Vec<Result<Endpoint, InvalidEndpoint>>,
    prefer: Prefer,
    penalty: Duration,
    settings: Arc<Settings>,
    /// Shared with the attempts that run.
    health: Arc<Mutex<Health>>,
}

/// Which endpoint comes first when several would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prefer {
    /// The first of the list, as soon as its failure is long enough ago.
    #[default]
    First,
    /// The one that was connected to last.
    Working,
}

/// A stream that was connected, and to what.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connection {
    /// The stream, with TLS if that was asked for.
    pub io: Box<dyn Io>,
    /// Which of the endpoints it is.
    pub endpoint: Endpoint,
    /// Which of its addresses.
    pub address: Address,
}

/// What attempts take from their connector.
#[derive(Clone)]
struct Settings {
    resolver: Arc<dyn Resolve>,
    dialler: Arc<dyn Dial>,
    resolve_timeout: Duration,
    connect_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    #[cfg(feature = "tls")]
    tls_timeout: Duration,
}

impl Connector {
    /// Connects to this endpoint: an [`Endpoint`], an address, or text as an endpoint is read from.
    ///
    /// Text that is not an endpoint fails in each attempt, with an error that says so. Where that
    /// is too late, parse it into an [`Endpoint`] first.
    pub fn new<E>(endpoint: E) -> Self
    where
        E: TryInto<Endpoint, Error: Into<InvalidEndpoint>>,
    {
        let settings = Settings {
            resolver: Arc::new(SystemResolver),
            dialler: Arc::new(SystemDialler::default()),
            resolve_timeout: LIMIT,
            connect_timeout: LIMIT,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "tls")]
            tls_timeout: LIMIT,
        };
        Connector {
            endpoints: vec![endpoint.try_into().map_err(Into::into)],
            prefer: Prefer::First,
            penalty: PENALTY,
            settings: Arc::new(settings),
            health: Arc::default(),
        }
    }

    /// Connects to this endpoint where those before it cannot be connected to.
    pub fn or<E>(mut self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint, Error: Into<InvalidEndpoint>>,
    {
        self.endpoints.push(endpoint.try_into().map_err(Into::into));
        self
    }

    /// Which endpoint comes first when several would do: the first of the list by default.
    pub fn prefer(mut self, prefer: Prefer) -> Self {
        self.prefer = prefer;
        self
    }

    /// How long an endpoint that failed comes after those that did not: 30 s by default.
    pub fn penalty(mut self, time: Duration) -> Self {
        self.penalty = time;
        self
    }

    /// Gives the addresses of names in place of the operating system.
    pub fn resolver(self, resolver: impl Resolve) -> Self {
        self.set(|settings| settings.resolver = Arc::new(resolver))
    }

    /// Connects to addresses in place of a [`SystemDialler`] without options.
    pub fn dialler(self, dialler: impl Dial) -> Self {
        self.set(|settings| settings.dialler = Arc::new(dialler))
    }

    /// How long a name may take to be resolved: 5 s by default.
    pub fn resolve_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.resolve_timeout = limit)
    }

    /// How long an address may take to accept the connection: 5 s by default.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.connect_timeout = limit)
    }

    /// Does TLS on what was connected. Off by default.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: Tls) -> Self {
        self.set(|settings| settings.tls = Some(tls))
    }

    /// How long the handshake of TLS may take: 5 s by default.
    #[cfg(feature = "tls")]
    pub fn tls_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.tls_timeout = limit)
    }

    /// Starts an attempt, which runs when it is polled, within a tokio runtime that has time and,
    /// for the system's sockets, input and output. It may be a task of a machine.
    ///
    /// Dropping the future gives up and closes what it has opened.
    ///
    /// # Errors
    ///
    /// When nothing could be connected: what failed at each address.
    #[must_use = "an attempt runs when it is polled"]
    pub fn connect(
        &mut self,
    ) -> impl Future<Output = Result<Connection, ConnectError>> + Send + 'static + use<> {
        let endpoints = self.ordered();
        let (settings, health) = (self.settings.clone(), self.health.clone());
        async move {
            let mut race = Race::new(settings, endpoints);
            let connection = race.run().await;
            {
                let (mut health, now) = (lock(&health), now());
                race.failed(connection.as_ref())
                    .for_each(|failed| health.failed(failed, now));
                if let Some(connection) = &connection {
                    health.worked(&connection.endpoint);
                }
            }
            connection.ok_or_else(|| race.into_error())
        }
    }

    /// Says that an endpoint did not do although it could be connected to: its handshake failed, or
    /// the connection did not live long. It goes to the end of the order for the time of the
    /// [`penalty`](Self::penalty). An endpoint that is not one of this connector's is ignored.
    pub fn failed(&mut self, endpoint: &Endpoint) {
        if self.endpoints.iter().flatten().any(|own| own == endpoint) {
            lock(&self.health).failed(endpoint, now());
        }
    }

    /// Where it connects to, for the log.
    #[cfg(feature = "tracing")]
    pub(in crate::net) fn to_text(&self) -> String {
        let endpoints = self.endpoints.iter().map(|endpoint| match endpoint {
            Ok(endpoint) => endpoint.to_string(),
            Err(error) => error.to_string(),
        });
        endpoints.collect::<Vec<_>>().join(" or ")
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// The endpoints in the order of the next attempt.
    fn ordered(&self) -> Vec<Result<Endpoint, InvalidEndpoint>> {
        let (health, now) = (lock(&self.health), now());
        let mut endpoints = self.endpoints.clone();
        endpoints.sort_by_key(|endpoint| match endpoint {
            Ok(endpoint) => health.rank(endpoint, self.prefer, self.penalty, now),
            Err(_) => usize::MAX,
        });
        endpoints
    }
}

/// Of each step, unless it is set.
const LIMIT: Duration = Duration::from_secs(5);

/// Of an endpoint that failed, unless it is set.
const PENALTY: Duration = Duration::from_secs(30);

impl<E> From<E> for Connector
where
    E: TryInto<Endpoint, Error: Into<InvalidEndpoint>>,
{
    fn from(endpoint: E) -> Self {
        Connector::new(endpoint)
    }
}

impl Clone for Connector {
    fn clone(&self) -> Self {
        Connector {
            endpoints: self.endpoints.clone(),
            prefer: self.prefer,
            penalty: self.penalty,
            settings: self.settings.clone(),
            health: Arc::new(Mutex::new(lock(&self.health).clone())),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("endpoints", &self.endpoints)
            .field("prefer", &self.prefer)
            .finish_non_exhaustive()
    }
}

fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of the runtime, which a test may have paused.
#[expect(
    clippy::disallowed_methods,
    reason = "a connector is no part of the engine: how long ago an endpoint failed is its own matter"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_endpoints_has_a_bound() {
        let mut connector = Connector::new("10.0.0.1:1");
        for port in 1..100 {
            connector.failed(&Endpoint::Socket(([10, 0, 0, 1], port).into()));
            connector.failed(&Endpoint::Socket(([10, 0, 0, 1], 1).into()));
        }
        assert_eq!(lock(&connector.health).len(), 1);
    }
}
