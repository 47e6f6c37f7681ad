//! The machine of a server: when it accepts, and how it ends.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch::Sender;
use tokio::task::JoinSet;

use super::AtLimit;
use super::accept::{Accepted, is_of_the_peer};
use super::connection::{Account, GivenUp, Settings, serve};
use super::counts::Counters;
use super::telemetry::tell;
use crate::Backoff;
use crate::net::IoFuture;
use crate::{
    Actions, CREDITS, Cx, EnterCx, ExitReason, Guard, Handler, Next, Source, StateMachine, Timer,
    keep, unexpected,
};

/// How long tasks have to end when they were told to at last.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// How often the log hears of connections that are given up.
const QUIET: Duration = Duration::from_secs(60);

/// The machine of a [`Server`](super::Server), drawn below.
///
/// It accepts connections and owns the tasks in which they are served; what goes on in one is the
/// matter of that connection's machine.
#[derive(Debug, StateMachine)]
#[machine(event = Event, data = Service, crate = crate)]
pub enum ServerMachine {
    /// Connections are accepted.
    #[initial]
    #[to(
        Full = "limit reached",
        Paused = "accepting failed",
        Draining = "shut down"
    )]
    Listening,
    /// As many connections are open as may be; further ones wait in the operating system.
    #[to(Listening = "one has ended", Draining = "shut down")]
    Full,
    /// Accepting failed, as it does when there are no descriptors left; the back-off runs. Acceptors that
    /// have not failed go on, for one may have a connection in hand.
    #[to(Listening = "back-off over", Draining = "shut down")]
    Paused(Paused),
    /// The listening socket is closed, and the machines of the connections are told to end.
    #[to(Stopped = "all have ended, or too late")]
    Draining(Draining),
    /// The server has ended.
    #[terminal]
    Stopped,
}

/// Accepting failed.
#[derive(Debug)]
pub struct Paused {
    delay: Duration,
}

/// The server is about to end.
#[derive(Debug)]
pub struct Draining {
    within: Duration,
    cut_off: bool,
}

/// Everything that can happen to the machine. Nobody outside can send one.
#[derive(Debug)]
pub enum Event {
    /// The acceptor in this place has ended.
    Accepted(usize, io::Result<Accepted>),
    /// The back-off is over.
    Retry,
    /// The task of a connection has ended.
    Ended(Option<GivenUp>),
    /// The log may hear again of connections that are given up.
    Tell,
    /// The server is to end, and the machines of its connections within this time.
    Drain(Duration),
    /// All connections have ended.
    Drained,
    /// The time for it has passed.
    TooLate,
}

/// What the server's machine has in every state.
pub struct Service {
    /// `None` when the socket is closed.
    accept: Option<Box<dyn Fn() -> IoFuture<Accepted> + Send>>,
    /// A place for each acceptor, with what owns one that runs.
    acceptors: Vec<Option<Guard>>,
    backoff: Backoff,
    limits: Limits,
    settings: Arc<Settings>,
    counters: Arc<Counters>,
    connections: Connections,
    /// The source of the tasks' ends.
    ends: Guard,
    /// Tasks whose end was not handled.
    open: usize,
    /// Connections so far.
    number: u64,
    drain: Arc<Sender<Option<Duration>>>,
    crowd: Option<Crowd>,
    quiet: Option<Quiet>,
}

/// What the server's machine looks at.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) acceptors: usize,
    pub(super) connections: usize,
    pub(super) at_limit: AtLimit,
}

/// A time in which the log hears no more of connections that are given up, for their peers decide how
/// many there are.
struct Quiet {
    _timer: Timer,
    more: u64,
}

/// A time in which as many connections are open as may be. The log hears of it twice, and not of
/// each connection.
struct Crowd {
    refused: u64,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("listens", &self.accept.is_some())
            .field("open", &self.open)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Handler for ServerMachine {
    fn enter(&mut self, service: &mut Service, cx: &mut EnterCx<Self>) {
        match self {
            Self::Listening => service.accept(cx),
            Self::Paused(s) => cx.state_timeout(s.delay, Event::Retry),
            Self::Draining(s) if service.open == 0 => {
                tell!(DEBUG, within = ?s.within, "no connection is open: the server ends");
                cx.insert(Event::Drained);
            }
            Self::Draining(s) => {
                tell!(INFO, open = service.open, within = ?s.within, "the server ends when its connections have");
                cx.state_timeout(s.within.saturating_add(GRACE), Event::TooLate);
            }
            Self::Full | Self::Stopped => {}
        }
    }

    fn handle(
        state: ServerMachineAt<'_>,
        event: Event,
        service: &mut Service,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {Event as E, ServerMachineAt as S};
        match (state, event) {
            (S::Listening(s), E::Accepted(place, Ok(accepted))) => {
                service.acceptors[place] = None;
                service.works_again();
                service.accepted(accepted);
                if service.room() == 0 && service.limits.at_limit == AtLimit::Wait {
                    service.is_crowded();
                    return s.go(Full);
                }
                service.accept(cx);
                keep()
            }
            (S::Listening(s), E::Accepted(place, Err(error))) => {
                service.acceptors[place] = None;
                if is_of_the_peer(&error) {
                    service.accept(cx);
                    return keep();
                }
                s.go(service.failed(&error))
            }
            (S::Listening(_), E::Ended(given_up)) => {
                service.ended(given_up, cx);
                service.accept(cx);
                keep()
            }

            // There is room left: no more acceptors run than there is room for, and one has failed.
            (S::Paused(_), E::Accepted(place, outcome)) => {
                service.acceptors[place] = None;
                match outcome {
                    Ok(accepted) => service.accepted(accepted),
                    Err(error) => service.failed_too(&error),
                }
                keep()
            }

            (S::Full(s), E::Ended(given_up)) => {
                service.ended(given_up, cx);
                s.go(Listening)
            }

            (S::Paused(s), E::Retry) => s.go(Listening),
            (S::Paused(_), E::Ended(given_up)) => {
                service.ended(given_up, cx);
                keep()
            }

            (S::Listening(s), E::Drain(within)) => s.go(service.drain(within)),
            (S::Full(s), E::Drain(within)) => s.go(service.drain(within)),
            (S::Paused(s), E::Drain(within)) => s.go(service.drain(within)),
            // Who said it first has said it.
            (S::Draining(_), E::Drain(_)) => keep(),
            (S::Draining(s), E::Ended(given_up)) => {
                service.ended(given_up, cx);
                if service.open == 0 {
                    s.go(Stopped)
                } else {
                    keep()
                }
            }
            (S::Draining(mut s), E::TooLate) if !s.cut_off => {
                tell!(
                    WARN,
                    open = service.open,
                    "connections have not ended in time and are cut off"
                );
                s.cut_off = true;
                service.connections.lock().abort_all();
                cx.state_timeout(GRACE, Event::TooLate);
                keep()
            }
            (S::Draining(s), E::Drained | E::TooLate) => s.go(Stopped),

            (_, E::Tell) => {
                service.tell_more(cx);
                keep()
            }

            (_, event) => unexpected(event),
        }
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, service: &mut Service) {
        service.quiet_is_over();
    }
}

impl Service {
    pub(super) fn new(
        accept: Box<dyn Fn() -> IoFuture<Accepted> + Send>,
        backoff: Backoff,
        limits: Limits,
        settings: Settings,
    ) -> Self {
        Service {
            accept: Some(accept),
            acceptors: Vec::new(),
            backoff,
            limits,
            settings: Arc::new(settings),
            counters: Arc::default(),
            connections: Connections::default(),
            ends: Guard::inert(),
            open: 0,
            number: 0,
            drain: Arc::new(Sender::new(None)),
            crowd: None,
            quiet: None,
        }
    }

    pub(super) fn begin(&mut self, cx: &mut EnterCx<ServerMachine>) {
        self.ends = cx.source(self.connections.clone(), CREDITS);
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// What each task has a receiver of.
    pub(super) fn tasks(&self) -> Arc<Sender<Option<Duration>>> {
        self.drain.clone()
    }

    fn room(&self) -> usize {
        self.limits.connections - self.open
    }

    /// Starts as many acceptors as there may be: each of them may give a connection.
    fn accept(&mut self, cx: &mut Actions<ServerMachine>) {
        let Some(accept) = &self.accept else {
            return;
        };
        let room = match self.limits.at_limit {
            AtLimit::Wait => self.room(),
            AtLimit::Refuse => usize::MAX,
        };
        let most = self.limits.acceptors.min(room);
        for _ in self.acceptors.iter().flatten().count()..most {
            let free = self.acceptors.iter().position(Option::is_none);
            let place = free.unwrap_or(self.acceptors.len());
            let acceptor = cx.task(accept(), move |outcome| Event::Accepted(place, outcome));
            if place == self.acceptors.len() {
                self.acceptors.push(None);
            }
            self.acceptors[place] = Some(acceptor);
        }
    }

    fn accepted(&mut self, accepted: Accepted) {
        Counters::add(&self.counters.accepted);
        self.number += 1;
        if self.room() == 0 {
            self.refuse(accepted);
        } else {
            self.serve(accepted);
        }
    }

    fn works_again(&mut self) {
        if self.backoff.attempts() > 0 {
            tell!(
                INFO,
                failures = self.backoff.attempts(),
                "connections are accepted again"
            );
            self.backoff.reset();
        }
    }

    fn serve(&mut self, accepted: Accepted) {
        let drain = self.drain.subscribe();
        let account = Account::open(&self.counters, self.number, accepted.peer, &drain);
        let task = serve(accepted, account, self.settings.clone(), drain);
        self.connections.lock().spawn(task);
        self.open += 1;
        // The source looks at an empty set only when it is told to.
        self.ends.read(0);
    }

    fn refuse(&mut self, accepted: Accepted) {
        Counters::add(&self.counters.refused);
        self.is_crowded().refused += 1;
        drop(accepted);
    }

    fn is_crowded(&mut self) -> &mut Crowd {
        self.crowd.get_or_insert_with(|| {
            tell!(
                WARN,
                limit = self.limits.connections,
                policy = ?self.limits.at_limit,
                "as many connections are open as may be"
            );
            Crowd { refused: 0 }
        })
    }

    fn ended(&mut self, given_up: Option<GivenUp>, cx: &mut Actions<ServerMachine>) {
        self.open -= 1;
        if let Some(given_up) = given_up {
            self.give_up(&given_up, cx);
        }
        let room = self.limits.connections.div_ceil(8);
        if self.room() < room {
            return;
        }
        if let Some(crowd) = self.crowd.take() {
            tell!(
                INFO,
                refused = crowd.refused,
                "there is room for connections again"
            );
            let _ = crowd.refused;
        }
    }

    fn give_up(&mut self, given_up: &GivenUp, cx: &mut Actions<ServerMachine>) {
        if let Some(quiet) = &mut self.quiet {
            quiet.more += 1;
            return;
        }
        let GivenUp {
            connection,
            peer,
            why,
        } = given_up;
        tell!(WARN, connection, ?peer, why, "a connection was given up");
        let _ = (connection, peer, why);
        self.be_quiet(cx);
    }

    fn be_quiet(&mut self, cx: &mut Actions<ServerMachine>) {
        self.quiet = Some(Quiet {
            _timer: cx.timer(QUIET, Event::Tell),
            more: 0,
        });
    }

    fn tell_more(&mut self, cx: &mut Actions<ServerMachine>) {
        if self.quiet_is_over() {
            self.be_quiet(cx);
        }
    }

    /// Tells how many more there were, if there were any.
    fn quiet_is_over(&mut self) -> bool {
        let more = self.quiet.take().map_or(0, |quiet| quiet.more);
        if more > 0 {
            tell!(
                WARN,
                more,
                "more connections were given up; each is a line at level DEBUG"
            );
        }
        more > 0
    }

    fn failed(&mut self, error: &io::Error) -> Paused {
        Counters::add(&self.counters.accept_errors);
        let delay = self.backoff.delay();
        if self.backoff.attempts() == 1 {
            tell!(WARN, %error, "no connection can be accepted: trying again until one can");
        }
        tell!(DEBUG, %error, ?delay, "no connection was accepted");
        let _ = error;
        Paused { delay }
    }

    /// Another acceptor has failed, while the back-off of the first one runs.
    fn failed_too(&mut self, error: &io::Error) {
        if !is_of_the_peer(error) {
            Counters::add(&self.counters.accept_errors);
            tell!(DEBUG, %error, "no connection was accepted");
        }
    }

    /// Closes the socket, and tells the machines.
    fn drain(&mut self, within: Duration) -> Draining {
        self.accept = None;
        self.acceptors.clear();
        self.drain.send_replace(Some(within));
        Draining {
            within,
            cut_off: false,
        }
    }
}

/// The tasks of the connections, which end with the server's machine.
#[derive(Clone, Default)]
struct Connections(Arc<Mutex<JoinSet<Option<GivenUp>>>>);

impl Connections {
    fn lock(&self) -> MutexGuard<'_, JoinSet<Option<GivenUp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source<Event> for Connections {
    fn poll_event(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let ended = self.lock().poll_join_next(cx);
        match ended {
            // Also of one that was cut off.
            Poll::Ready(Some(ended)) => Poll::Ready(Some(Event::Ended(ended.unwrap_or(None)))),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
