//! The bench: an engine, a clock that the test moves, and sources that the test drives.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::context::EnterCx;
use crate::counts::Counts;
use crate::engine::Engine;
use crate::event::{Origin, SourceId};
use crate::handler::Handler;
use crate::machine::Initial;
use crate::reason::ExitReason;
use crate::reply::{Answer, Reply};

/// Steps without an input of the test, after which a machine is taken for one that does not come to
/// rest.
const STEPS: usize = 100_000;

/// A machine on a bench: events in, and everything it did to look at.
///
/// Its clock stands still until [`Bench::advance`]. Its tasks are not polled by themselves:
/// [`Bench::finish`] ends one with an output, so a test needs no network. [`Bench::poll`] polls
/// every woken source, such as a [`Link`](crate::net::Link) on a [`wire`](super::wire()); finish
/// tasks that need a runtime first.
///
/// An event that the machine calls unexpected fails the test unless [`Bench::allow_unexpected`] was
/// called, and so does a panic in the machine, always.
///
/// ```
/// use std::time::Duration;
/// use statem::testing::Bench;
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, postpone, unexpected};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Door {
///     #[initial]
///     #[to(Open)]
///     Locked,
///     #[to(Locked)]
///     Open,
/// }
///
/// #[derive(Debug)]
/// enum Event {
///     Unlock,
///     Walk,
///     Lock,
/// }
///
/// impl Handler for Door {
///     fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
///         if let Self::Open = self {
///             cx.state_timeout(Duration::from_secs(10), Event::Lock);
///         }
///     }
///
///     fn handle(state: DoorAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (DoorAt::Locked(s), Event::Unlock) => s.go(Open),
///             (DoorAt::Locked(_), event @ Event::Walk) => postpone(event),
///             (DoorAt::Open(_), Event::Walk) => statem::keep(),
///             (DoorAt::Open(s), Event::Lock) => s.go(Locked),
///             (_, event) => unexpected(event),
///         }
///     }
/// }
///
/// let mut door = Bench::new(Locked, ());
/// door.send(Event::Walk);
/// assert_eq!(door.postponed().count(), 1);
/// door.send(Event::Unlock);
/// assert_eq!((door.state_name(), door.postponed().count()), ("Open", 0));
/// door.advance(Duration::from_secs(10));
/// assert_eq!(door.path(), ["Locked", "Open", "Locked"]);
/// ```
pub struct Bench<M: Handler> {
    pub(super) engine: Engine<M>,
    now: Duration,
    /// The states that were entered, in order.
    path: Vec<&'static str>,
    woken: Arc<Woken>,
    unexpected: bool,
}

impl<M: Handler> Bench<M> {
    /// Starts a machine: its first enter call has run.
    ///
    /// # Panics
    ///
    /// Here and in every method that gives the machine something: when the machine panics, calls an
    /// event unexpected that may not be, or does not come to rest, as when it goes on inserting events.
    #[track_caller]
    pub fn new(state: impl Initial<M>, data: M::Data) -> Self {
        Self::with_init(state, data, |_, _| {})
    }

    /// Starts a machine with an init, as [`Builder::init`](crate::Builder::init) does.
    #[track_caller]
    pub fn with_init(
        state: impl Initial<M>,
        data: M::Data,
        init: impl FnOnce(&mut M::Data, &mut EnterCx<M>),
    ) -> Self {
        Self::with_engine(Engine::new(state, data), init)
    }

    #[track_caller]
    pub(super) fn with_engine(
        engine: Engine<M>,
        init: impl FnOnce(&mut M::Data, &mut EnterCx<M>),
    ) -> Self {
        let path = vec![engine.state_name()];
        let mut bench = Bench {
            engine,
            now: Duration::ZERO,
            path,
            woken: Arc::default(),
            unexpected: false,
        };
        bench.engine.start_with(init, &|| Duration::ZERO);
        bench.settle();
        bench
    }

    /// Events that the machine calls unexpected do not fail the test from here on; they are
    /// counted.
    pub fn allow_unexpected(&mut self) -> &mut Self {
        self.unexpected = true;
        self
    }

    /// Sends a cast, and lets the machine handle what it queues for itself.
    #[track_caller]
    pub fn send(&mut self, event: M::Event) {
        let now = self.now;
        self.engine.handle(event, &|| now);
        self.settle();
    }

    /// Calls the machine. The answer is taken with [`Answer::try_take`]; dropping it gives the call
    /// up.
    #[track_caller]
    pub fn call<T, E>(&mut self, event: impl FnOnce(Reply<T, E>) -> M::Event) -> Answer<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let now = self.now;
        let answer = self.engine.call(event, &|| now);
        self.settle();
        answer
    }

    /// Moves the clock; each timer that becomes due fires at its own time.
    ///
    /// # Panics
    ///
    /// If a hundred thousand timers have fired and no time has passed, as when one starts itself again
    /// in the past.
    #[track_caller]
    pub fn advance(&mut self, by: Duration) {
        // A time beyond all deadlines.
        let until = self.now.saturating_add(by);
        let mut steps = 0;
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until) {
            steps = if due > self.now { 0 } else { steps + 1 };
            self.assert_rests(steps, "timers have fired at one time");
            self.now = self.now.max(due);
            self.engine.fire(self.now);
            self.settle();
        }
        self.now = until;
    }

    /// Ends the newest running task with an output of this type, without polling it.
    ///
    /// A task that dials is finished with a [`wire`](super::wire()) when its output is any byte
    /// stream: `io::Result<Box<dyn Io>>`, of which a `TcpStream` and a `WireEnd` are both made.
    ///
    /// # Panics
    ///
    /// If no running task has this output.
    #[track_caller]
    pub fn finish<T: 'static>(&mut self, output: T) {
        let mut output: Box<dyn Any> = Box::new(output);
        let mut running: Vec<SourceId> = self.engine.sources().map(|(source, _)| source).collect();
        let now = self.now;
        while let Some(source) = running.pop() {
            match self.engine.finish_task(source, output, &|| now) {
                Ok(()) => return self.settle(),
                Err(back) => output = back,
            }
        }
        panic!(
            "`{}` runs no task with the output `{}` in state `{}`",
            M::GRAPH.name,
            type_name::<T>(),
            self.state_name()
        );
    }

    /// Polls the sources that were woken, until none is, and handles what they give. What was sent
    /// outside of a transition is written, as with a link that the test reaches by
    /// [`Bench::data_mut`].
    ///
    /// # Panics
    ///
    /// If a source needs a runtime that is not there, as sockets and dialling tasks do.
    #[track_caller]
    pub fn poll(&mut self) {
        while self.woken.woken.swap(false, Ordering::AcqRel) {
            let sources: Vec<SourceId> = self.engine.sources().map(|(source, _)| source).collect();
            for source in sources {
                self.poll_source(source);
            }
            // Here a turn ends. What was sent outside of a transition has asked for a flush then, and
            // does not ask again before it has had it.
            self.settle();
        }
    }

    #[track_caller]
    fn poll_source(&mut self, source: SourceId) {
        let waker = Waker::from(self.woken.clone());
        let now = self.now;
        let mut steps = 0;
        while let Some(pinned) = self.engine.source(source) {
            steps += 1;
            match pinned.poll_event(&mut Context::from_waker(&waker)) {
                Poll::Pending => return,
                Poll::Ready(None) => return self.engine.source_ended(source),
                Poll::Ready(Some(event)) => {
                    self.engine.output(source, event, &|| now);
                    self.settle();
                    self.assert_rests(steps, "outputs of one source were handled in a row");
                }
            }
        }
        // Without credit it is not asked for events, but what it has to write still leaves.
        if let Some(pinned) = self.engine.flushable(source) {
            pinned.poll_flush(&mut Context::from_waker(&waker));
        }
    }

    /// What is left of a turn after an input: the machine's own queue, and the writes it asked for.
    #[track_caller]
    fn settle(&mut self) {
        let now = self.now;
        self.note();
        let mut steps = 0;
        while self.engine.advance(&|| now) {
            steps += 1;
            self.assert_rests(steps, "events of its own were handled in a row");
            self.note();
        }
        let waker = Waker::from(self.woken.clone());
        for source in self.engine.take_started() {
            self.engine.set_waker(source, waker.clone());
            self.woken.woken.store(true, Ordering::Release);
        }
        let mut steps = 0;
        while let Some(source) = self.engine.next_flush() {
            steps += 1;
            self.assert_rests(steps, "flushes were asked for in a row");
            if let Some(pinned) = self.engine.flushable(source) {
                pinned.poll_flush(&mut Context::from_waker(&waker));
            }
        }
        if let Some(ExitReason::Panicked { .. }) = self.engine.stopped() {
            panic!(
                "`{}` failed: {}",
                M::GRAPH.name,
                self.engine
                    .stopped()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            );
        }
        assert!(
            self.unexpected || self.engine.counts().unexpected == 0,
            "`{}` called an event unexpected, in one of the states {:?}; \
             if that is meant, say `allow_unexpected()` on the bench",
            M::GRAPH.name,
            self.path
        );
    }

    /// A test that goes on for ever says nothing.
    #[track_caller]
    fn assert_rests(&self, steps: usize, what: &str) {
        assert!(
            steps <= STEPS,
            "`{}` does not come to rest in state `{}`: {STEPS} {what}, and there is another one; \
             the last event came from {:?}",
            M::GRAPH.name,
            self.state_name(),
            self.engine.origin()
        );
    }

    fn note(&mut self) {
        let name = self.engine.state_name();
        if !name.is_empty() && self.path.last() != Some(&name) {
            self.path.push(name);
        }
    }
}

/// What there is to see.
impl<M: Handler> Bench<M> {
    /// The state. `None` when the machine has ended.
    #[must_use]
    pub fn state(&self) -> Option<&M> {
        self.engine.state()
    }

    /// The name of the state; empty when the machine has ended.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        self.engine.state_name()
    }

    /// The names of the states the machine was in, in order. A state that was left for itself is
    /// named once; a terminal state is not, for the machine has ended with it.
    #[must_use]
    pub fn path(&self) -> &[&'static str] {
        &self.path
    }

    /// The data.
    ///
    /// # Panics
    ///
    /// If the machine has ended.
    #[must_use]
    #[track_caller]
    pub fn data(&self) -> &M::Data {
        self.engine
            .data()
            .expect("the data of a machine that has not ended")
    }

    /// The data, to set a scene with.
    ///
    /// # Panics
    ///
    /// If the machine has ended.
    #[track_caller]
    pub fn data_mut(&mut self) -> &mut M::Data {
        self.engine
            .data_mut()
            .expect("the data of a machine that has not ended")
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The timeouts that run, in the order they will fire, with the time that remains: `None` is
    /// never.
    #[must_use]
    pub fn timeouts(&self) -> Vec<(Origin<M::Timeout>, Option<Duration>)> {
        let remaining = |deadline: Duration| deadline.saturating_sub(self.now);
        self.engine
            .timeouts()
            .into_iter()
            .map(|running| (running.origin, running.deadline.map(remaining)))
            .collect()
    }

    /// The postponed events, oldest first.
    pub fn postponed(&self) -> impl Iterator<Item = &M::Event> + '_ {
        self.engine.postponed()
    }

    /// The sources that run, oldest first, and whether each belongs to the state.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, bool)> + '_ {
        self.engine.sources()
    }

    /// How often things happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.engine.counts()
    }

    /// Why the machine ended, if it has.
    #[must_use]
    pub fn stopped(&self) -> Option<&ExitReason> {
        self.engine.stopped()
    }

    /// Stops the machine from outside.
    pub fn stop(&mut self, reason: ExitReason) {
        self.engine.stop(reason);
    }
}

impl<M: Handler> fmt::Debug for Bench<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("engine", &self.engine)
            .field("now", &self.now)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Whether any source was woken; a bench has few, so it polls them all.
#[derive(Default)]
struct Woken {
    woken: AtomicBool,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
    }
}
