//! How a server is started.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::accept::{Accept, Accepted};
use super::connection::{Running, Settings};
use super::machine::{Limits, Listening, Service};
use super::{AtLimit, Server};
use crate::Backoff;
use crate::net::IoFuture;
use crate::{Builder, Driver, Handle, Handler};

/// How a [`Server`] is started: made by [`Server::builder`].
#[must_use = "a server is started by `start`"]
pub struct ServerBuilder {
    accept: Box<dyn Fn() -> IoFuture<Accepted> + Send>,
    backoff: Backoff,
    limits: Limits,
    settings: Settings,
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("backoff", &self.backoff)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl ServerBuilder {
    pub(super) fn new<A, M, F>(listener: A, serve: F) -> Self
    where
        A: Accept,
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
        F: Fn(Accepted) -> (Handle<M>, Driver<M>) + Send + Sync + 'static,
    {
        let listener = Arc::new(listener);
        ServerBuilder {
            accept: Box::new(move || {
                let listener = listener.clone();
                Box::pin(async move { listener.accept().await })
            }),
            backoff: Backoff::default().cap(Duration::from_secs(1)),
            limits: Limits {
                acceptors: 1,
                connections: 16 * 1024,
                at_limit: AtLimit::default(),
            },
            settings: Settings {
                serve: Box::new(move |accepted| Running::new(serve(accepted))),
                idle: None,
                #[cfg(feature = "tls")]
                tls: None,
                #[cfg(feature = "tls")]
                handshake_timeout: Duration::from_secs(5),
            },
        }
    }

    /// The most connections that are open at once, at least one: 16 384 by default. Those that set
    /// up TLS count.
    ///
    /// Each takes a descriptor, of which the operating system may allow fewer; see
    /// [`Paused`](super::ServerMachine::Paused).
    pub fn limit(mut self, connections: usize) -> Self {
        self.limits.connections = connections.max(1);
        self
    }

    /// What becomes of connections above the limit: [`AtLimit::Wait`] by default.
    pub fn at_limit(mut self, policy: AtLimit) -> Self {
        self.limits.at_limit = policy;
        self
    }

    /// How many connections are accepted side by side, at least one: one by default.
    ///
    /// A socket has no use for more, since TLS and all that follows is not the acceptor's matter. An
    /// [`Accept`] that itself talks with the peer has: when one fails the others go on, so that a
    /// connection that is in hand is not lost.
    pub fn acceptors(mut self, count: usize) -> Self {
        self.limits.acceptors = count.max(1);
        self
    }

    /// The delays after accepting has failed: up to 100 ms at first and up to 1 s later, by default.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Ends connections whose peer has sent no byte for this long; there is no limit by default.
    ///
    /// It is noticed after this time at the earliest and after twice this time at the latest,
    /// whatever the machine does and writes meanwhile (N42). The machine's read fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut), so that a [`Link`](crate::net::Link) says
    /// [`CloseReason::Read`](crate::net::CloseReason::Read): it is the machine that ends then. A
    /// link that does not read, such as one that is [paused](crate::net::Link::pause), does not
    /// notice.
    ///
    /// For a peer that sends a byte from time to time and never a whole frame, use a timeout of the
    /// machine's states.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.settings.idle = Some(limit);
        self
    }

    /// Sets up TLS on each connection before its machine is made (feature `tls`).
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::net::TlsAcceptor) -> Self {
        self.settings.tls = Some(tls);
        self
    }

    /// How long TLS may take, whatever the peer sends meanwhile: 5 s by default (feature `tls`).
    #[cfg(feature = "tls")]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.settings.handshake_timeout = limit;
        self
    }

    /// Starts the server, as a task of the current runtime.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use = "dropped, the server ends at once, and cuts its connections off"]
    pub fn start(self) -> Server {
        let ServerBuilder {
            accept,
            backoff,
            limits,
            settings,
        } = self;
        let service = Service::new(accept, backoff, limits, settings);
        let (counters, tasks) = (service.counters(), service.tasks());
        let handle = Builder::new()
            .init(Service::begin)
            .spawn(Listening, service);
        Server {
            handle,
            counters,
            tasks,
        }
    }
}
