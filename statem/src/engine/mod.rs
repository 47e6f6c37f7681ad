//! The pure engine: gen_statem's semantics, without a clock, a runtime or any input and output.
//!
//! It has four kinds of methods. *Inputs* (`start`, `handle`, `call`, `advance`, `fire`, ..) each
//! carry out at most one transition; a clock is passed along and read only if the transition starts
//! a relative timeout. `advance` handles what the machine has queued for itself, and is called
//! until it says `false` before the next event from outside (R11). *Deadline*: [`Engine::deadline`]
//! says when to call `fire`. *Sources* are owned here and lent to whoever polls them.
//! *Getters* show what is there. A stopped engine stays stopped (N66).

mod actions;
mod end;
mod lend;
mod look;
mod queue;
#[cfg(feature = "tokio")]
mod record;
mod release;
mod settle;
#[cfg(feature = "serde")]
mod snapshot;
mod sources;
mod step;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use crate::call_cell::CallCell;
#[cfg(feature = "tokio")]
use crate::call_cell::Kept;
use crate::context::{Actions, Cx, EnterCx};
use crate::counts::Tally;
use crate::event::{Origin, SourceId};
use crate::handler::Handler;
use crate::machine::{Initial, Machine};
use crate::reason::ExitReason;
#[cfg(feature = "tokio")]
use crate::record::Record;
#[cfg(feature = "tokio")]
pub(crate) use crate::record::timeout_name;
use crate::reply::{Answer, Reply};
pub(crate) use crate::scope::drop_at_end;
#[cfg(feature = "tokio")]
use crate::watch::Published;
use end::Callback;
pub use look::RunningTimeout;
use queue::{Entry, Queues};
use settle::Fate;
use sources::Sources;
#[cfg(feature = "test-util")]
pub(crate) use step::Move;
pub(crate) use timers::Instance;
use timers::Timers;

/// Time since the start of the machine, asked for at most once in a transition.
///
/// The engine never lets time run backwards: a clock that does is read as standing still.
pub type Clock<'a> = &'a dyn Fn() -> Duration;

/// Postponed events of a machine that sets no other bound (N45).
pub const POSTPONED: usize = 1024;
/// Inserted events waiting in a machine that sets no other bound (N31).
pub const INSERTED: usize = 1024;
/// How often `cx.repeat()` may call enter again in one transition (N6).
pub const ENTER_REPEATS: usize = 1000;

/// A machine and everything that gen_statem keeps around it, driven by hand.
///
/// ```
/// use std::time::Duration;
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, engine::Engine};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Lamp {
///     #[initial]
///     #[to(On)]
///     Off,
///     #[to(Off)]
///     On,
/// }
///
/// enum Event {
///     Push,
///     Late,
/// }
///
/// impl Handler for Lamp {
///     fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
///         if matches!(self, Self::On) {
///             cx.state_timeout(Duration::from_secs(60), Event::Late);
///         }
///     }
///
///     fn handle(state: LampAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (LampAt::Off(s), Event::Push) => s.go(On),
///             (LampAt::On(s), Event::Push | Event::Late) => s.go(Off),
///             (LampAt::Off(_), event @ Event::Late) => statem::unexpected(event),
///         }
///     }
/// }
///
/// let mut lamp = Engine::new(Off, ());
/// lamp.start(&|| Duration::ZERO);
/// lamp.handle(Event::Push, &|| Duration::from_secs(1));
/// assert_eq!(lamp.deadline(), Some(Duration::from_secs(61)));
/// lamp.fire(Duration::from_secs(61));
/// assert_eq!(lamp.state_name(), "Off");
/// ```
pub struct Engine<M: Machine> {
    /// `None` inside a `go_with`, and when it was lost.
    state: Option<M>,
    /// `None` when the machine has been taken apart.
    data: Option<M::Data>,
    enter_cx: EnterCx<M>,
    queues: Queues<M::Timeout, M::Event>,
    timers: Option<Box<Timers<M::Timeout, M::Event>>>,
    sources: Option<Box<Sources<M::Event>>>,
    limits: Limits,
    counts: Tally,
    end: Option<Box<ExitReason>>,
    /// Where the name of the state is shown.
    #[cfg(feature = "tokio")]
    published: Option<Arc<Published>>,
    /// Who looks at the events.
    #[cfg(feature = "tokio")]
    record: Option<Box<Record<M>>>,
    /// What runs, for the reason of a panic.
    callback: Callback,
    /// What has become of the event being handled.
    fate: Fate,
    warned: Warned,
    /// Whether even a bare `keep` has work to do after it: an event timeout to cancel, guards that
    /// may be dropped, or a record to keep.
    careful: bool,
    /// Whether somebody else carries out the order of the end (N61).
    ends_by_hand: bool,
    /// Whether it ended in the transition of an event.
    ended_by_event: bool,
    /// The last move that was not a plain `keep`, and the place of the state after it.
    #[cfg(feature = "test-util")]
    moved: Option<(Move, usize)>,
}

/// What a machine is warned of once.
#[derive(Default)]
struct Warned {
    /// A postponed output was discarded (N36).
    discarded: bool,
    /// A timeout was started and updated in one transition (N2).
    updated: bool,
}

/// The bounds of a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    postponed: u32,
    inserted: u32,
}

impl Limits {
    /// A bound beyond 32 bits is none.
    pub(crate) fn new(postponed: usize, inserted: usize) -> Self {
        let bound = |bound: usize| bound.try_into().unwrap_or(u32::MAX);
        Limits {
            postponed: bound(postponed),
            inserted: bound(inserted),
        }
    }
}

/// Inputs.
impl<M: Handler> Engine<M> {
    /// A machine in an initial state, not started.
    pub fn new(state: impl Initial<M>, data: M::Data) -> Self {
        Self::with_limits(state.wrap(), data, Limits::new(POSTPONED, INSERTED))
    }

    pub(crate) fn with_limits(state: M, data: M::Data, limits: Limits) -> Self {
        Engine {
            state: Some(state),
            data: Some(data),
            enter_cx: EnterCx {
                cx: Cx {
                    actions: Actions::default(),
                    origin: Origin::Inserted,
                    call: None,
                },
                previous: 0,
                repeat: false,
            },
            queues: Queues::new(),
            timers: None,
            sources: None,
            limits,
            counts: Tally::default(),
            end: None,
            #[cfg(feature = "tokio")]
            published: None,
            #[cfg(feature = "tokio")]
            record: None,
            callback: Callback::Init,
            fate: Fate::Settled,
            warned: Warned::default(),
            careful: false,
            ends_by_hand: false,
            ended_by_event: false,
            #[cfg(feature = "test-util")]
            moved: None,
        }
    }

    /// Runs the first enter call (R88). Call it once, before anything else: debug builds panic if
    /// it was forgotten.
    pub fn start(&mut self, clock: Clock<'_>) {
        self.start_with(|_, _| {}, clock);
    }

    /// As [`Engine::start`], with what init asks for; init and the first enter call are one
    /// transition (N10).
    pub fn start_with(
        &mut self,
        init: impl FnOnce(&mut M::Data, &mut EnterCx<M>),
        clock: Clock<'_>,
    ) {
        if self.end.is_none() {
            self.first_transition(init, clock);
            #[cfg(feature = "tokio")]
            self.record_start();
            self.finish_end();
        }
    }

    /// Handles a cast: one transition. Then call [`Engine::advance`] until it says `false`.
    ///
    /// An engine that has stopped drops the event, as it does with every input (N66): a call gets
    /// [`CallError::Stopped`](crate::CallError::Stopped).
    pub fn handle(&mut self, event: M::Event, clock: Clock<'_>) {
        self.handle_message(event, None, clock);
    }

    /// Handles a call made of a reply: one transition. The answer is what the caller waits for.
    pub fn call<T: Send + 'static, E: Send + 'static>(
        &mut self,
        event: impl FnOnce(Reply<T, E>) -> M::Event,
        clock: Clock<'_>,
    ) -> Answer<T, E> {
        let (reply, answer) = Answer::channel(M::GRAPH.name, None, None);
        self.handle_message(event(reply), answer.cell(), clock);
        answer
    }

    pub(crate) fn handle_message(
        &mut self,
        event: M::Event,
        call: Option<Arc<dyn CallCell>>,
        clock: Clock<'_>,
    ) {
        let origin = if call.is_some() {
            Origin::Call
        } else {
            Origin::Cast
        };
        self.input(event, origin, call, clock);
    }

    /// Handles the next event the machine has queued for itself: of the queue, else a zero timeout
    /// (R11). `false` if there is none.
    #[inline]
    pub fn advance(&mut self, clock: Clock<'_>) -> bool {
        self.is_running() && self.has_queued() && self.handle_queued(clock)
    }

    fn handle_queued(&mut self, clock: Clock<'_>) -> bool {
        if let Some(entry) = self.queues.pop() {
            let Entry {
                event,
                origin,
                call,
                retried,
            } = entry;
            self.transition(event, origin, call, retried, clock);
        } else if let Some((key, event)) = self.timers.as_mut().and_then(|timers| timers.pop_zero())
        {
            self.transition(event, step::origin(key), None, false, clock);
        } else {
            return false;
        }
        self.finish_end();
        true
    }

    /// Handles the timer that is due first at `now`, by deadline, then start order (N26). `false`
    /// if none is due.
    pub fn fire(&mut self, now: Duration) -> bool {
        if !self.is_running() {
            return false;
        }
        let first = self
            .timers
            .as_ref()
            .and_then(|timers| timers.first_due(now));
        first.is_some_and(|first| self.fire_instance(first, &|| now))
    }

    /// Handles one running timer that is due. `false` if that very instance does not run any more
    /// (R65).
    pub(crate) fn fire_instance(&mut self, instance: Instance, clock: Clock<'_>) -> bool {
        if !self.is_running() {
            return false;
        }
        let Some((key, event)) = self
            .timers
            .as_mut()
            .and_then(|timers| timers.take(instance))
        else {
            return false;
        };
        self.input(event, step::origin(key), None, clock);
        true
    }

    /// Handles an output of a source. Only with a credit; see [`Engine::source`].
    pub fn output(&mut self, source: SourceId, event: M::Event, clock: Clock<'_>) {
        let lives = self.is_running()
            && self
                .sources
                .as_mut()
                .is_some_and(|sources| sources.output(source));
        if lives || self.end.is_some() {
            self.input(event, Origin::Source(source), None, clock);
        } else {
            // Its guard was dropped while it was produced (N36).
            self.counts.received += 1;
            self.counts.seldom().discarded += 1;
            self.drop_event(event);
            self.finish_end();
        }
    }

    /// A source has ended by itself; its outputs stay valid (N38).
    pub fn source_ended(&mut self, source: SourceId) {
        let ended = self
            .sources
            .as_mut()
            .and_then(|sources| sources.ended(source));
        if let Err(reason) = self.drop_value(Callback::DropSource, ended) {
            self.end.get_or_insert_with(|| Box::new(reason));
            self.finish_end();
        }
    }

    /// Puts another state in the place of the machine's, from outside (R126). This is not a
    /// transition: enter is not called, postponed events are not tried again, no timer is touched.
    /// If it is another variant, what was started for the state left is dropped (N15).
    pub fn replace(&mut self, state: M) {
        if self.is_running() {
            self.replace_state(state);
            self.finish_end();
        } else if let Some(reason) = self.end.clone() {
            drop_at_end(M::GRAPH.name, &reason, state);
        }
    }

    /// Stops the machine from outside (R120): `terminate` is called and everything it owns is
    /// dropped.
    pub fn stop(&mut self, reason: ExitReason) {
        if self.end.is_none() {
            self.end = Some(Box::new(reason));
            self.finish_end();
        }
    }

    /// As [`Engine::handle_message`], for an event that was kept from an earlier life (N76).
    #[cfg(feature = "tokio")]
    pub(crate) fn handle_kept(&mut self, kept: Kept<M::Event>, clock: Clock<'_>) {
        let origin = if kept.is_call {
            Origin::Call
        } else {
            Origin::Cast
        };
        self.input(kept.event, origin, Some(kept.call), clock);
    }

    fn input(
        &mut self,
        event: M::Event,
        origin: Origin<M::Timeout>,
        call: Option<Arc<dyn CallCell>>,
        clock: Clock<'_>,
    ) {
        if !self.is_running() {
            // N66: a stopped engine refuses.
            if let Some(reason) = self.end.clone() {
                drop_at_end(M::GRAPH.name, &reason, event);
            }
            return;
        }
        self.transition(event, origin, call, false, clock);
        self.finish_end();
    }

    /// Sees to the guards that were dropped since the last transition, which may end the machine.
    /// Whether it runs.
    #[inline]
    fn is_running(&mut self) -> bool {
        if self.careful && self.enter_cx.cx.actions.has_released() {
            self.see_to_guards();
        }
        debug_assert!(
            self.end.is_some() || !matches!(self.callback, Callback::Init),
            "an engine handles nothing before its `start`"
        );
        self.end.is_none()
    }

    /// Sees to the guards that were dropped between two transitions, which may end the machine.
    #[cfg(feature = "tokio")]
    pub(crate) fn tend(&mut self) {
        self.is_running();
    }

    #[cold]
    fn see_to_guards(&mut self) {
        if self.end.is_none() {
            self.sweep();
            self.finish_end();
        }
    }
}

/// The deadline.
impl<M: Machine> Engine<M> {
    /// When the next timer is due, in time since the start of the machine.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.as_ref().and_then(|timers| timers.deadline())
    }

    /// Collects the timers that are due, in the order they fire.
    #[cfg(feature = "tokio")]
    pub(crate) fn collect_due(&mut self, now: Duration) {
        if let Some(timers) = &mut self.timers {
            timers.collect_due(now);
        }
    }

    /// The first of the timers that were collected, if not all of them were looked at.
    #[cfg(feature = "tokio")]
    pub(crate) fn first_collected(&self) -> Option<Instance> {
        self.timers
            .as_ref()
            .and_then(|timers| timers.first_collected())
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn pop_collected(&mut self) -> Option<Instance> {
        self.timers
            .as_mut()
            .and_then(|timers| timers.pop_collected())
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn is_event_timeout(&self, instance: Instance) -> bool {
        self.timers
            .as_ref()
            .is_some_and(|timers| timers.is_event_timeout(instance))
    }
}

/// For a driver, which carries out the order of the end itself (N61).
#[cfg(feature = "tokio")]
impl<M: Handler> Engine<M> {
    /// `prepare` is done to the actions of the machine's contexts.
    pub(crate) fn attach(
        &mut self,
        published: Arc<Published>,
        prepare: impl FnOnce(&mut Actions<M>),
    ) {
        self.published = Some(published);
        prepare(&mut self.enter_cx.cx.actions);
        self.ends_by_hand = true;
    }

    /// Takes out what came from outside and was not consumed, those that are to be handled before
    /// those that are postponed (N76).
    pub(crate) fn take_external(&mut self) -> Vec<Kept<M::Event>> {
        let external = self
            .queues
            .extract(|entry| matches!(entry.origin, Origin::Call | Origin::Cast));
        let external = external.into_iter();
        external
            .map(|(entry, _)| Kept::new(entry.event, entry.call, entry.origin == Origin::Call))
            .collect()
    }
}

/// The name of a state by its place in the graph.
pub(crate) fn name_of<M: Machine>(state: usize) -> &'static str {
    M::GRAPH.states.get(state).map_or("", |state| state.name)
}

/// Whether a state is terminal, by its place in the graph.
fn is_terminal<M: Machine>(state: usize) -> bool {
    M::GRAPH
        .states
        .get(state)
        .is_some_and(|state| state.terminal)
}
