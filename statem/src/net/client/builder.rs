//! How a client is started.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::counts::Counters;
use super::machine::Connecting;
use super::protocol::Protocol;
use super::session::Session;
use super::settings::Settings;
use crate::Backoff;
use crate::Builder;
use crate::net::{Connector, LinkConfig, Policy};

/// How a [`Client`] is started: made by [`Client::builder`].
///
/// ```no_run
/// # use statem::net::{Lines, Protocol, Received};
/// # struct Echo;
/// # impl Protocol for Echo {
/// #     type Codec = Lines;
/// #     type Request = String;
/// #     type Response = String;
/// #     fn codec(&self) -> Lines { Lines::new(1024) }
/// #     fn receive(&mut self, line: String, _: &mut Vec<String>) -> Received<String> { Received::Answer(line) }
/// # }
/// use std::time::Duration;
/// use statem::Backoff;
/// use statem::net::{Client, Connector, Policy};
///
/// let peer = Connector::new("db-1.example:4000").or("db-2.example:4000");
/// let client = Client::builder(Echo, peer)
///     .policy(Policy::FailFast)
///     .limit(Duration::from_secs(1))
///     .answer_timeout(Duration::from_secs(3))
///     .max_lifetime(Duration::from_secs(30 * 60))
///     .start();
/// ```
#[must_use = "a client is started by `start`"]
pub struct ClientBuilder<P: Protocol> {
    protocol: P,
    pub(super) connector: Connector,
    settings: Settings,
    pub(super) limit: Duration,
    pub(super) policy: Policy,
}

impl<P: Protocol> ClientBuilder<P> {
    pub(super) fn new(protocol: P, connector: Connector) -> Self {
        ClientBuilder {
            protocol,
            connector,
            settings: Settings::default(),
            limit: Duration::from_secs(5),
            policy: Policy::default(),
        }
    }

    /// The limit of requests that set none: 5 s by default (N54).
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The policy of requests that set none: [`Policy::Wait`] by default.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The most requests that wait, by whatever policy: 1024 by default. Beyond it they fail with
    /// [`NotSent::QueueFull`](crate::net::NotSent::QueueFull).
    pub fn queue(mut self, bound: usize) -> Self {
        self.settings.queue = bound;
        self
    }

    /// The most requests that are sent and not answered at once, at least one: 1024 by default.
    /// Further ones wait, or fail with [`NotSent::Busy`](crate::net::NotSent::Busy), by their policy.
    pub fn window(mut self, requests: usize) -> Self {
        self.settings.window = requests;
        self
    }

    /// The bounds of the link of each connection: by default those of a [`LinkConfig`], with a write
    /// timeout of 10 s.
    pub fn link(mut self, config: LinkConfig) -> Self {
        self.settings.link = config;
        self
    }

    /// The delays between attempts to connect.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long the handshake may take: 5 s by default.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.settings.handshake_timeout = limit;
        self
    }

    /// How long the oldest request may go without its answer before the connection is given up: 10 s
    /// by default. It is noticed after this time at the earliest and after half as much again at the
    /// latest, whatever is written meanwhile (N42).
    ///
    /// It is not a limit of a request. A request that [may take long](Protocol::is_long) is not
    /// watched, nor are those in order behind it. When its caller has gone, it is as any other one;
    /// by id only if such ones keep all the room.
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.settings.answer_timeout = Some(limit);
        self
    }

    /// Does not look whether answers come: a peer that goes away without a word is then noticed by
    /// nothing but the operating system, if at all.
    pub fn no_answer_timeout(mut self) -> Self {
        self.settings.answer_timeout = None;
        self
    }

    /// How long the peer may be silent, with nothing to answer, before it is sent a
    /// [ping](Protocol::ping): at most this long, and at least half as long; 30 s by default. Whether
    /// the ping is answered is watched as of any request. Nothing for a protocol without a ping. Less
    /// than a millisecond is taken for one.
    pub fn ping_after(mut self, silence: Duration) -> Self {
        self.settings.ping_after = Some(silence.max(Duration::from_millis(1)));
        self
    }

    /// Sends no [ping](Protocol::ping): a peer that goes away without a word, with nothing to answer,
    /// is noticed by the next request.
    pub fn no_ping(mut self) -> Self {
        self.settings.ping_after = None;
        self
    }

    /// How long a connection has to live to be a good one: 10 s by default. Until then the back-off
    /// goes on growing, so a peer that accepts and hangs up is not asked again without end. One that
    /// reaches its [greatest age](Self::max_lifetime) was a good one, however short that is.
    pub fn min_uptime(mut self, time: Duration) -> Self {
        self.settings.min_uptime = time;
        self
    }

    /// How old a connection may become before it is replaced by another one; none by default. Each
    /// gets nine tenths of it or up to a tenth more, by chance. Names are resolved again, so this
    /// bounds how long a client goes on with an address that its name has left. Less than a second is
    /// taken for one.
    pub fn max_lifetime(mut self, age: Duration) -> Self {
        self.settings.max_lifetime = Some(age.max(Duration::from_secs(1)));
        self
    }

    /// How long a connection that was replaced waits for the answers to what was sent on it: 30 s by
    /// default. Then they are [`Unknown`](crate::net::Unknown), and so are those of the oldest one
    /// where more than eight wait.
    pub fn grace(mut self, time: Duration) -> Self {
        self.settings.grace = time;
        self
    }

    /// Ends the client with the [`Lost`](crate::net::Lost) as its reason when the peer
    /// [refuses](super::Handshake::Refused) it. By default it tries again after
    /// [a long time](Backoff::slow_delay).
    pub fn stop_when_refused(mut self) -> Self {
        self.settings.stop_when_refused = true;
        self
    }

    /// Ends the client with the [`Lost`](crate::net::Lost) as its reason when an attempt to connect
    /// fails, the first one too, or the connection is lost: for a client that is restarted by
    /// somebody else, or that cannot go on without what the old connection knew. By default it
    /// tries again, and so does this one while the connection that is to be replaced is used.
    pub fn stop_on_disconnect(mut self) -> Self {
        self.settings.stop_on_disconnect = true;
        self
    }

    /// Makes what is left to chance a function of this number: the age of connections and, unless
    /// they have a seed of their own, the delays. For tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.random = fastrand::Rng::with_seed(seed);
        self.settings.backoff = self.settings.backoff.seed(seed);
        self
    }

    /// Starts the client, as a task of the current tokio runtime. Returns at once: the first attempt
    /// to connect runs in the task, and there need not be anybody to connect to.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use = "the client ends when its last handle is dropped"]
    pub fn start(self) -> Client<P> {
        let counters = Arc::new(Counters::default());
        let session = Session::new(
            self.protocol,
            self.connector,
            self.settings,
            counters.clone(),
        );
        let handle = Builder::new()
            .call_limit(self.limit)
            .spawn(Connecting::default(), session);
        Client {
            handle,
            counters,
            policy: self.policy,
        }
    }
}
