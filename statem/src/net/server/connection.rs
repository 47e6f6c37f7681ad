//! One connection: TLS, then its machine, in a task of its own that the server owns.

use std::any::Any;
use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::accept::Accepted;
use super::counts::Counters;
use super::telemetry::tell;
use super::watched::{Traffic, Watched};
use crate::net::{CloseReason, Io};
use crate::{Driver, ExitReason, Handle, Handler};

/// What each connection has.
pub(super) struct Settings {
    pub(super) serve: Box<Serve>,
    pub(super) idle: Option<Duration>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::net::TlsAcceptor>,
    #[cfg(feature = "tls")]
    pub(super) handshake_timeout: Duration,
}

/// Makes the machine of a connection.
pub(super) type Serve = dyn Fn(Accepted) -> Running + Send + Sync;

/// A machine without its type.
pub(super) struct Running {
    driver: Ending,
    shutdown: Box<dyn FnOnce(Duration) -> Ending + Send>,
}

/// Ends with a machine.
type Ending = Pin<Box<dyn Future<Output = ExitReason> + Send>>;

/// The time that machines have to end, once there is one.
pub(super) type Drain = Receiver<Option<Duration>>;

/// Why a connection was closed.
enum End {
    /// TLS was not set up.
    #[cfg(feature = "tls")]
    Unsecured(Unsecured),
    /// The machine has ended.
    Ended(ExitReason),
    /// There was no machine: making it panicked.
    NotMade,
    /// Its task was dropped.
    CutOff,
}

#[cfg(feature = "tls")]
enum Unsecured {
    Failed(crate::net::TlsError),
    TooLate(Duration),
    ShutDown,
}

/// The account of a connection. It is settled when this is dropped, whichever way the task ends.
pub(super) struct Account {
    counters: Arc<Counters>,
    traffic: Arc<Traffic>,
    number: u64,
    peer: Option<SocketAddr>,
    started: bool,
    end: End,
    /// The last of the task to be dropped, by which the server knows that it is gone.
    _task: Drain,
}

impl Running {
    pub(super) fn new<M>((handle, driver): (Handle<M>, Driver<M>)) -> Self
    where
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
    {
        Running {
            driver: Box::pin(driver),
            // It also keeps the machine alive: a server's machine ends by itself.
            shutdown: Box::new(move |within| {
                Box::pin(async move { handle.shutdown(within).await })
            }),
        }
    }

    /// Runs the machine to its end; when it is to drain, tells it so.
    async fn run(self, drain: &mut Drain) -> ExitReason {
        let Running {
            mut driver,
            shutdown,
        } = self;
        let within = match either(driver.as_mut(), drained(drain)).await {
            Either::First(reason) => return reason,
            Either::Second(within) => within,
        };
        // The request is put when it is first polled; the end is that of the driver, which has a last
        // word to say after the handle knows.
        let mut request = Some(shutdown(within));
        poll_fn(|cx| {
            if let Some(asked) = &mut request {
                if asked.as_mut().poll(cx).is_ready() {
                    request = None;
                }
            }
            driver.as_mut().poll(cx)
        })
        .await
    }
}

/// A connection that was given up, for the log.
#[derive(Debug)]
pub struct GivenUp {
    pub(super) connection: u64,
    pub(super) peer: Option<SocketAddr>,
    pub(super) why: String,
}

/// Serves a connection until its end.
pub(super) async fn serve(
    accepted: Accepted,
    mut account: Account,
    settings: Arc<Settings>,
    mut drain: Drain,
) -> Option<GivenUp> {
    account.end = settings.serve(accepted, &mut account, &mut drain).await;
    account.given_up()
}

impl Settings {
    async fn serve(&self, accepted: Accepted, account: &mut Account, drain: &mut Drain) -> End {
        let Accepted { io, peer } = accepted;
        let io: Box<dyn Io> = Box::new(Watched::new(io, account.traffic.clone(), self.idle));
        #[cfg(feature = "tls")]
        let io = match &self.tls {
            None => io,
            Some(tls) => {
                // In a box of its own: it is large, and a connection lives long after it.
                let securing = Box::pin(secure(tls.accept(io), self.handshake_timeout));
                let secured = match either(securing, drained(drain)).await {
                    Either::First(secured) => secured,
                    Either::Second(_) => Err(Unsecured::ShutDown),
                };
                match secured {
                    Ok(io) => io,
                    Err(why) => return End::Unsecured(why),
                }
            }
        };
        account.start();
        let accepted = Accepted { io, peer };
        let made = catch_unwind(AssertUnwindSafe(|| (self.serve)(accepted)));
        match made {
            Ok(machine) => End::Ended(machine.run(drain).await),
            Err(payload) => {
                discard(payload);
                End::NotMade
            }
        }
    }
}

/// Drops what a panic was thrown with, for peers decide how often there is one. That drop may panic,
/// too: what it is thrown with then is forgotten.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

#[cfg(feature = "tls")]
async fn secure(
    accept: impl Future<Output = Result<Box<dyn Io>, crate::net::TlsError>>,
    limit: Duration,
) -> Result<Box<dyn Io>, Unsecured> {
    match tokio::time::timeout(limit, accept).await {
        Ok(secured) => secured.map_err(Unsecured::Failed),
        Err(_) => Err(Unsecured::TooLate(limit)),
    }
}

/// Waits until machines are to end, and says within which time.
async fn drained(drain: &mut Drain) -> Duration {
    if let Ok(within) = drain.wait_for(Option::is_some).await {
        if let Some(within) = *within {
            return within;
        }
    }
    // The server's machine is gone, and takes this task with it.
    pending().await
}

enum Either<A, B> {
    First(A),
    Second(B),
}

/// Waits for one of two; the first is polled first.
async fn either<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|cx| {
        if let Poll::Ready(output) = first.as_mut().poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        second.as_mut().poll(cx).map(Either::Second)
    })
    .await
}

impl Account {
    pub(super) fn open(
        counters: &Arc<Counters>,
        number: u64,
        peer: Option<SocketAddr>,
        task: &Drain,
    ) -> Self {
        tell!(DEBUG, connection = number, ?peer, "accepted");
        Account {
            counters: counters.clone(),
            traffic: Arc::default(),
            number,
            peer,
            started: false,
            end: End::CutOff,
            _task: task.clone(),
        }
    }

    fn start(&mut self) {
        self.started = true;
        Counters::add(&self.counters.started);
    }

    fn given_up(&self) -> Option<GivenUp> {
        if !self.end.is_for_people() {
            return None;
        }
        Some(GivenUp {
            connection: self.number,
            peer: self.peer,
            why: self.end.text(),
        })
    }
}

impl End {
    /// Itself for people. An error of the user's may panic when it is shown.
    fn text(&self) -> String {
        catch_unwind(AssertUnwindSafe(|| self.to_string())).unwrap_or_else(|payload| {
            discard(payload);
            "its reason panicked when it was to be shown".to_owned()
        })
    }

    /// Whether somebody who looks after the server should hear of it. A machine that failed has its
    /// own report, and that networks lose connections is known.
    fn is_for_people(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            End::Unsecured(why) => !matches!(why, Unsecured::ShutDown),
            End::CutOff => false,
            End::NotMade => true,
            End::Ended(ExitReason::Ended(why)) => match why.downcast_ref() {
                None => true,
                Some(why) => matches!(
                    why,
                    CloseReason::TooLong { .. }
                        | CloseReason::Garbage(_)
                        | CloseReason::WriteTimeout { .. }
                ),
            },
            End::Ended(_) => false,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let counters = &self.counters;
        Counters::add(match &self.end {
            _ if !self.started => &counters.unsecured,
            End::Ended(reason) if reason.is_normal() => &counters.ended,
            _ => &counters.failed,
        });
        #[cfg(feature = "tracing")]
        self.tell();
    }
}

#[cfg(feature = "tracing")]
impl Account {
    fn tell(&self) {
        use std::sync::atomic::Ordering;

        let (connection, peer) = (self.number, self.peer);
        let received = self.traffic.received.load(Ordering::Relaxed);
        let sent = self.traffic.sent.load(Ordering::Relaxed);
        tell!(DEBUG, connection, ?peer, received, sent, why = %self.end.text(), "closed");
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            #[cfg(feature = "tls")]
            End::Unsecured(Unsecured::Failed(error)) => write!(f, "TLS failed: {error}"),
            #[cfg(feature = "tls")]
            End::Unsecured(Unsecured::TooLate(limit)) => {
                write!(f, "TLS was not done within {limit:?}")
            }
            #[cfg(feature = "tls")]
            End::Unsecured(Unsecured::ShutDown) => {
                f.write_str("the server ended before TLS was done")
            }
            End::Ended(reason) => reason.fmt(f),
            End::NotMade => f.write_str("making its machine panicked"),
            End::CutOff => f.write_str("it was cut off"),
        }
    }
}
