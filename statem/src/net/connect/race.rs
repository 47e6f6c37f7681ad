//! One attempt: the addresses of all endpoints, started one after the other until one connects
//! (RFC 8305).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::iter::Enumerate;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use tokio::time::{Sleep, Timeout, sleep, timeout};

use super::{
    Address, ConnectCause, ConnectError, ConnectFailure, Connection, Endpoint, InvalidEndpoint, Io,
    IoFuture, Settings,
};

/// How long an address has for itself before the next one is started beside it (RFC 8305, 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses of one name that are tried: a name may have thousands.
const ADDRESSES: usize = 32;

type Timed<T> = Pin<Box<Timeout<IoFuture<T>>>>;

/// One attempt, and what it has learned.
pub(super) struct Race {
    settings: Arc<Settings>,
    /// Those that were not looked at.
    endpoints: Enumerate<vec::IntoIter<Result<Endpoint, InvalidEndpoint>>>,
    resolving: Vec<(Place, Timed<Vec<SocketAddr>>)>,
    /// Addresses that were not dialled, in the order of their endpoints.
    waiting: VecDeque<Candidate>,
    dialling: Vec<(Candidate, Timed<Box<dyn Io>>)>,
    /// Since something was started.
    stagger: Pin<Box<Sleep>>,
    failures: Vec<ConnectFailure>,
}

/// An endpoint, and where it stands in the order of this attempt.
#[derive(Clone)]
struct Place {
    number: usize,
    endpoint: Endpoint,
}

struct Candidate {
    place: Place,
    address: Address,
}

impl Race {
    pub(super) fn new(
        settings: Arc<Settings>,
        endpoints: Vec<Result<Endpoint, InvalidEndpoint>>,
    ) -> Self {
        Race {
            settings,
            endpoints: endpoints.into_iter().enumerate(),
            resolving: Vec::new(),
            waiting: VecDeque::new(),
            dialling: Vec::new(),
            stagger: Box::pin(sleep(STAGGER)),
            failures: Vec::new(),
        }
    }

    /// The first address that connects, with TLS if it is asked for. `None` when all have failed.
    pub(super) async fn run(&mut self) -> Option<Connection> {
        self.start_next();
        loop {
            let (winner, io) = poll_fn(|cx| self.poll(cx)).await?;
            match secure(&self.settings, &winner, io).await {
                Ok(io) => {
                    return Some(Connection {
                        io,
                        endpoint: winner.place.endpoint,
                        address: winner.address,
                    });
                }
                Err(cause) => {
                    self.fail(Some(winner.place.endpoint), Some(winner.address), cause);
                    self.start_next();
                }
            }
        }
    }

    /// The endpoints that were not connected to, and nothing of which is left to try.
    pub(super) fn failed(&self, winner: Option<&Connection>) -> impl Iterator<Item = &Endpoint> {
        let winner = winner.map(|connection| &connection.endpoint);
        let failed = self.failures.iter().filter_map(|f| f.endpoint.as_ref());
        failed.filter(move |endpoint| {
            let mut left = self.waiting.iter();
            winner != Some(*endpoint) && left.all(|other| other.place.endpoint != **endpoint)
        })
    }

    pub(super) fn into_error(self) -> ConnectError {
        ConnectError::new(self.failures)
    }

    /// Ready with the first connection, or with `None` when nothing is left to try.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Candidate, Box<dyn Io>)>> {
        loop {
            if let Some(winner) = self.poll_dialling(cx) {
                self.give_up_losers();
                return Poll::Ready(Some(winner));
            }
            // What has failed or was resolved may have started something, which is to be polled.
            let mut started = self.poll_resolving(cx);
            if !self.waiting.is_empty() || self.endpoints.len() > 0 {
                if self.stagger.as_mut().poll(cx).is_ready() {
                    self.start_next();
                    started = true;
                }
            } else if self.dialling.is_empty() && self.resolving.is_empty() {
                return Poll::Ready(None);
            }
            if !started {
                return Poll::Pending;
            }
        }
    }

    fn poll_dialling(&mut self, cx: &mut Context<'_>) -> Option<(Candidate, Box<dyn Io>)> {
        let mut index = 0;
        while let Some((_, dialling)) = self.dialling.get_mut(index) {
            let Poll::Ready(result) = dialling.as_mut().poll(cx) else {
                index += 1;
                continue;
            };
            let (candidate, _) = self.dialling.remove(index);
            let cause = match result {
                Ok(Ok(io)) => return Some((candidate, io)),
                Ok(Err(error)) => ConnectCause::Connect(error),
                Err(_) => ConnectCause::ConnectTimedOut(self.settings.connect_timeout),
            };
            self.fail(
                Some(candidate.place.endpoint),
                Some(candidate.address),
                cause,
            );
            // To the end of the line, where this loop comes to it.
            self.start_next();
        }
        None
    }

    /// Whether any resolution has ended.
    fn poll_resolving(&mut self, cx: &mut Context<'_>) -> bool {
        let mut ended = false;
        let mut index = 0;
        while let Some((_, resolving)) = self.resolving.get_mut(index) {
            let Poll::Ready(result) = resolving.as_mut().poll(cx) else {
                index += 1;
                continue;
            };
            ended = true;
            let (place, _) = self.resolving.remove(index);
            let cause = match result {
                Ok(Ok(addresses)) if !addresses.is_empty() => {
                    self.resolved(&place, addresses);
                    continue;
                }
                Ok(Ok(_)) => ConnectCause::NoAddress,
                Ok(Err(error)) => ConnectCause::Resolve(error),
                Err(_) => ConnectCause::ResolveTimedOut(self.settings.resolve_timeout),
            };
            self.fail(Some(place.endpoint), None, cause);
            self.start_next();
        }
        ended
    }

    /// The first address is dialled at once: its turn was when the resolution started.
    fn resolved(&mut self, place: &Place, addresses: Vec<SocketAddr>) {
        let mut candidates = interleaved(addresses).map(|address| Candidate {
            place: place.clone(),
            address: Address::Socket(address),
        });
        let first = candidates.next();
        // Ahead of what later endpoints have left.
        let is_before = |other: &&Candidate| other.place.number < place.number;
        let before = self.waiting.iter().take_while(is_before).count();
        let behind = self.waiting.split_off(before);
        self.waiting.extend(candidates);
        self.waiting.extend(behind);
        if let Some(first) = first {
            self.dial(first);
        }
    }

    /// Starts the next address, or the resolution of the next name where there is none.
    fn start_next(&mut self) {
        if let Some(candidate) = self.waiting.pop_front() {
            return self.dial(candidate);
        }
        while let Some((number, endpoint)) = self.endpoints.next() {
            match endpoint {
                Ok(endpoint) => return self.start(Place { number, endpoint }),
                Err(error) => self.fail(None, None, ConnectCause::Invalid(error)),
            }
        }
    }

    fn start(&mut self, place: Place) {
        let settings = self.settings.clone();
        let address = match &place.endpoint {
            Endpoint::Name { host, port } => {
                let resolution = settings.resolver.resolve(host, *port);
                let resolution = Box::pin(timeout(settings.resolve_timeout, resolution));
                self.resolving.push((place, resolution));
                return self.restart_stagger();
            }
            Endpoint::Socket(address) => Address::Socket(*address),
            Endpoint::Unix(path) => Address::Unix(path.clone()),
        };
        self.dial(Candidate { place, address });
    }

    fn dial(&mut self, candidate: Candidate) {
        let dialling = self.settings.dialler.dial(&candidate.address);
        let dialling = Box::pin(timeout(self.settings.connect_timeout, dialling));
        self.dialling.push((candidate, dialling));
        self.restart_stagger();
    }

    fn restart_stagger(&mut self) {
        self.stagger.set(sleep(STAGGER));
    }

    /// Closes what is being dialled. It is tried again if the winner fails at TLS.
    fn give_up_losers(&mut self) {
        for (candidate, dialling) in self.dialling.drain(..).rev() {
            drop(dialling);
            self.waiting.push_front(candidate);
        }
    }

    fn fail(&mut self, endpoint: Option<Endpoint>, address: Option<Address>, cause: ConnectCause) {
        self.failures.push(ConnectFailure {
            endpoint,
            address,
            cause,
        });
    }
}

/// Does TLS with the winner, if it is asked for.
#[cfg(feature = "tls")]
async fn secure(
    settings: &Settings,
    winner: &Candidate,
    io: Box<dyn Io>,
) -> Result<Box<dyn Io>, ConnectCause> {
    let Some(tls) = &settings.tls else {
        return Ok(io);
    };
    let host = match &winner.place.endpoint {
        Endpoint::Name { host, .. } => host.clone(),
        Endpoint::Socket(address) => address.ip().to_string(),
        Endpoint::Unix(_) => String::new(),
    };
    match timeout(settings.tls_timeout, tls.connect(io, &host)).await {
        Ok(secured) => secured.map_err(ConnectCause::Tls),
        Err(_) => Err(ConnectCause::TlsTimedOut(settings.tls_timeout)),
    }
}

#[cfg(not(feature = "tls"))]
#[expect(clippy::unused_async, reason = "TLS takes time")]
async fn secure(_: &Settings, _: &Candidate, io: Box<dyn Io>) -> Result<Box<dyn Io>, ConnectCause> {
    Ok(io)
}

/// The resolver's order, with the two families in turn (RFC 8305, 4): where one of them does not
/// work here, the second address is of the other one.
fn interleaved(addresses: Vec<SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turn = false;
    std::iter::from_fn(move || {
        turn = !turn;
        if turn {
            first.next().or_else(|| second.next())
        } else {
            second.next().or_else(|| first.next())
        }
    })
    .take(ADDRESSES)
}
