//! What a callback may ask for: [`Actions`], and the two contexts that carry it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;

use crate::call_cell::CallCell;
use crate::event::{Origin, SourceId, TimerId};
use crate::guard::{Cell, Guard, ReleaseList, Timer};
use crate::machine::Machine;
#[cfg(feature = "tokio")]
use crate::mailbox::Mailbox;
use crate::reason::ExitReason;
use crate::source::{BoxedSource, Items, Source, Task};

/// Outputs of one stream that may wait at once, unless it says otherwise (N40).
pub const CREDITS: usize = 32;

/// What a callback asks of the engine: timeouts, sources and inserted events.
///
/// Asking is recording (N2): everything is carried out, in order, when the transition ends, and
/// belongs to the state it ends in (N3). For each timeout only the last request of a transition
/// counts (R56). Helper functions take `&mut Actions<M>`: both contexts deref to it.
///
/// ```
/// use std::time::Duration;
/// use statem::testing::Bench;
/// use statem::{Actions, Cx, EnterCx, Handler, Next, StateMachine, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, timeout = Name)]
/// enum Session {
///     #[initial]
///     #[to(Active)]
///     Active,
/// }
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// enum Name {
///     Ping,
/// }
///
/// enum Event {
///     Heard,
///     Ping,
/// }
///
/// /// A helper for both callbacks.
/// fn watch(actions: &mut Actions<Session>) {
///     actions.timeout(Name::Ping, Duration::from_secs(30), Event::Ping);
/// }
///
/// impl Handler for Session {
///     fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
///         watch(cx);
///     }
///
///     fn handle(_: SessionAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             Event::Heard | Event::Ping => watch(cx),
///         }
///         keep()
///     }
/// }
///
/// let mut session = Bench::new(Active, ());
/// session.advance(Duration::from_secs(20));
/// session.send(Event::Heard);
/// session.advance(Duration::from_secs(29));
/// assert_eq!(session.counts().handled, 1);
/// session.advance(Duration::from_secs(1));
/// assert_eq!(session.counts().handled, 2);
/// ```
pub struct Actions<M: Machine> {
    /// Made by the first request and kept; most machines at rest have none.
    requests: Option<Box<Requests<M>>>,
    /// Whether `requests` holds anything.
    pub(crate) any: bool,
    #[cfg(feature = "tokio")]
    mailbox: std::sync::Weak<Mailbox<M>>,
}

impl<M: Machine> Actions<M> {
    /// Sends the machine `event` after `after` in the state this transition ends in; leaving the
    /// state cancels it (R57).
    ///
    /// Zero means after what is queued already and before any message (R67).
    pub fn state_timeout(&mut self, after: Duration, event: M::Event) {
        self.time(Key::State, When::After(after), event);
    }

    /// As [`Actions::state_timeout`], at a time since the start of the machine; a past one fires at
    /// once, after what waits already (R148).
    ///
    /// For times that the machine was given, such as the deadline of a call:
    /// [`Cx::deadline`] and [`Reply::deadline`](crate::Reply::deadline). A callback is not told the
    /// time, so what is to come after a while from now is asked for without `_at`.
    pub fn state_timeout_at(&mut self, at: Duration, event: M::Event) {
        self.time(Key::State, When::At(at), event);
    }

    /// Gives the running state timeout another event and leaves its time (R62). If none was running
    /// before this transition, or the state changes in it, the event comes at once (R63, N2).
    pub fn update_state_timeout(&mut self, event: M::Event) {
        self.request(Request::Update(Key::State, event));
    }

    /// Cancels the state timeout, if it runs (R64).
    pub fn cancel_state_timeout(&mut self) {
        self.request(Request::Cancel(Key::State));
    }

    /// Sends the machine `event` after `after` if nothing else happens first: any event cancels it
    /// (R60).
    pub fn event_timeout(&mut self, after: Duration, event: M::Event) {
        self.time(Key::Event, When::After(after), event);
    }

    /// As [`Actions::event_timeout`], at a time since the start of the machine (R148), such as
    /// [`Cx::deadline`].
    pub fn event_timeout_at(&mut self, at: Duration, event: M::Event) {
        self.time(Key::Event, When::At(at), event);
    }

    /// The event comes at once: the event timeout never runs while a handler does (R61).
    pub fn update_event_timeout(&mut self, event: M::Event) {
        self.request(Request::Update(Key::Event, event));
    }

    /// Cancels an event timeout asked for earlier in this transition (R64).
    pub fn cancel_event_timeout(&mut self) {
        self.request(Request::Cancel(Key::Event));
    }

    /// Sends the machine `event` after `after`, in whatever state it is then (R59). Starting a name
    /// again replaces time and event (R53).
    pub fn timeout(&mut self, name: M::Timeout, after: Duration, event: M::Event) {
        self.time(Key::Named(name), When::After(after), event);
    }

    /// As [`Actions::timeout`], at a time since the start of the machine (R148), such as
    /// [`Cx::deadline`].
    pub fn timeout_at(&mut self, name: M::Timeout, at: Duration, event: M::Event) {
        self.time(Key::Named(name), When::At(at), event);
    }

    /// Gives the running timeout of this name another event and leaves its time (R62); if it was
    /// not running before this transition, the event comes at once (R63, N2).
    pub fn update_timeout(&mut self, name: M::Timeout, event: M::Event) {
        self.request(Request::Update(Key::Named(name), event));
    }

    /// Cancels the timeout of this name, if it runs (R64).
    pub fn cancel_timeout(&mut self, name: M::Timeout) {
        self.request(Request::Cancel(Key::Named(name)));
    }

    /// Sends the machine `event` after `after`, as long as the returned [`Timer`] lives.
    pub fn timer(&mut self, after: Duration, event: M::Event) -> Timer {
        self.guarded_timer(When::After(after), event)
    }

    /// As [`Actions::timer`], at a time since the start of the machine, such as the
    /// [`deadline`](crate::Reply::deadline) of a reply that is kept beside the timer.
    pub fn timer_at(&mut self, at: Duration, event: M::Event) -> Timer {
        self.guarded_timer(When::At(at), event)
    }

    /// Inserts an event of the machine's own, to be handled next, before everything that waits
    /// (R12, R14).
    ///
    /// More than 1024 (settable) waiting end the machine with [`ExitReason::Overflow`] (N31).
    pub fn insert(&mut self, event: M::Event) {
        self.ask().inserted.push(event);
    }

    /// Runs a future beside the machine in the state this transition ends in; its output comes as
    /// one event. Leaving the state drops it, and no event of it is handled afterwards (P3,
    /// N36).
    pub fn state_task<F, Map>(&mut self, future: F, map: Map)
    where
        F: Future<Output: 'static> + Send + 'static,
        Map: FnOnce(F::Output) -> M::Event + Send + 'static,
    {
        self.add(Box::pin(Task::new(future, map)), 1, true);
    }

    /// Runs a future beside the machine as long as the returned [`Guard`] lives; its output comes
    /// as one event. A panic in it is a panic of the machine (N39).
    pub fn task<F, Map>(&mut self, future: F, map: Map) -> Guard
    where
        F: Future<Output: 'static> + Send + 'static,
        Map: FnOnce(F::Output) -> M::Event + Send + 'static,
    {
        Guard::new(self.add(Box::pin(Task::new(future, map)), 1, false))
    }

    /// Takes the items of a stream as events in the state this transition ends in; `map` gets
    /// `None` for its end (N38).
    ///
    /// At most 32 of its events wait or stay postponed at once; then it is not polled until one is
    /// consumed (N40).
    pub fn state_stream<S, Map>(&mut self, stream: S, map: Map)
    where
        S: Stream + Send + 'static,
        Map: FnMut(Option<S::Item>) -> M::Event + Send + 'static,
    {
        self.add(Box::pin(Items::new(stream, map)), CREDITS, true);
    }

    /// As [`Actions::state_stream`], as long as the returned [`Guard`] lives.
    pub fn stream<S, Map>(&mut self, stream: S, map: Map) -> Guard
    where
        S: Stream + Send + 'static,
        Map: FnMut(Option<S::Item>) -> M::Event + Send + 'static,
    {
        Guard::new(self.add(Box::pin(Items::new(stream, map)), CREDITS, false))
    }

    /// Takes the events of any [`Source`], at most `credits` of them waiting or postponed at once
    /// (N40). With 0 it is read by [`Guard::read`].
    pub fn source<S>(&mut self, source: S, credits: usize) -> Guard
    where
        S: Source<M::Event> + 'static,
    {
        Guard::new(self.add(Box::pin(source), credits, false))
    }

    fn guarded_timer(&mut self, when: When, event: M::Event) -> Timer {
        let requests = self.ask();
        let id = requests.next_id();
        let cell = Arc::new(Cell::new(id, 0, requests.release_list()));
        self.request(Request::Start(
            Key::Guarded(TimerId(id)),
            when,
            event,
            Some(cell.clone()),
        ));
        Timer::new(cell)
    }

    fn add(&mut self, source: BoxedSource<M::Event>, credits: usize, of_state: bool) -> Arc<Cell> {
        let requests = self.ask();
        let id = requests.next_id();
        let cell = Arc::new(Cell::new(id, credits, requests.release_list()));
        requests.sources.push(NewSource {
            id: SourceId(id),
            source,
            of_state,
            cell: cell.clone(),
        });
        cell
    }

    fn time(&mut self, key: Key<M::Timeout>, when: When, event: M::Event) {
        self.request(Request::Start(key, when, event, None));
    }

    fn request(&mut self, request: Request<M>) {
        let timeouts = &mut self.ask().timeouts;
        // Most machines ask for one at a time.
        if timeouts.is_empty() {
            timeouts.reserve_exact(1);
        }
        timeouts.push(request);
    }

    fn ask(&mut self) -> &mut Requests<M> {
        self.any = true;
        self.requests()
    }

    /// The requests, for the engine to carry out.
    pub(crate) fn requests(&mut self) -> &mut Requests<M> {
        self.requests.get_or_insert_default()
    }

    /// The guards that were dropped, if any guard was ever made.
    pub(crate) fn released(&self) -> Option<&Arc<ReleaseList>> {
        self.requests
            .as_ref()
            .and_then(|requests| requests.released.as_ref())
    }

    /// Whether guards were dropped that nobody has seen to.
    pub(crate) fn has_released(&self) -> bool {
        self.released().is_some_and(|released| released.has_any())
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn set_mailbox(&mut self, mailbox: std::sync::Weak<Mailbox<M>>) {
        self.mailbox = mailbox;
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn mailbox(&self) -> &std::sync::Weak<Mailbox<M>> {
        &self.mailbox
    }
}

impl<M: Machine> Default for Actions<M> {
    fn default() -> Self {
        Actions {
            requests: None,
            any: false,
            #[cfg(feature = "tokio")]
            mailbox: std::sync::Weak::new(),
        }
    }
}

/// The context of `handle`.
pub struct Cx<M: Machine> {
    pub(crate) actions: Actions<M>,
    pub(crate) origin: Origin<M::Timeout>,
    /// The call the event belongs to.
    pub(crate) call: Option<Arc<dyn CallCell>>,
}

impl<M: Machine> Cx<M> {
    /// Gives the event back, to be handled after the next change of state, and leaves open what
    /// comes next (R25, N4).
    ///
    /// Together with `go` it is offered at once in the new state, after older postponed events. See
    /// [`postpone`](crate::postpone) for the bound.
    ///
    /// # Panics
    ///
    /// The machine panics if the event was already postponed in this transition; in debug builds also
    /// if it is of another variant than the one being handled.
    pub fn postpone(&mut self, event: M::Event) {
        let requests = self.actions.ask();
        // An event that is not there any more is lost, and its caller with it.
        assert!(
            requests.postponed.is_none(),
            "an event was postponed twice in one transition"
        );
        requests.postponed = Some(event);
    }

    /// Where the event came from.
    #[must_use]
    pub fn origin(&self) -> Origin<M::Timeout> {
        self.origin
    }

    /// When the limit of the call being handled passes, in time since the start of the machine
    /// (N54).
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.call.as_ref().and_then(|call| call.deadline())
    }
}

impl<M: Machine> Deref for Cx<M> {
    type Target = Actions<M>;

    fn deref(&self) -> &Actions<M> {
        &self.actions
    }
}

impl<M: Machine> DerefMut for Cx<M> {
    fn deref_mut(&mut self) -> &mut Actions<M> {
        &mut self.actions
    }
}

/// The context of `enter` and of init: it can stop and has neither `go` nor `postpone` (N6); `enter`
/// can repeat.
pub struct EnterCx<M: Machine> {
    /// What enter asks for joins what the handler asked for.
    pub(crate) cx: Cx<M>,
    /// The place of the state before in the graph.
    pub(crate) previous: u32,
    pub(crate) repeat: bool,
}

impl<M: Machine> EnterCx<M> {
    /// The name of the state before; at the start and on `repeat` the state's own name (R74).
    #[must_use]
    pub fn previous(&self) -> &'static str {
        M::GRAPH
            .states
            .get(self.previous as usize)
            .map_or("", |state| state.name)
    }

    /// Stops the machine when this callback returns. The first stop of a transition wins (N6).
    pub fn stop(&mut self, reason: impl Into<ExitReason>) {
        let stop = &mut self.cx.actions.ask().stop;
        stop.get_or_insert_with(|| Box::new(reason.into()));
    }

    /// Not here: see [`Answering`].
    #[doc(hidden)]
    pub fn go<T>(&mut self, target: T)
    where
        Self: Answering,
    {
        drop(target);
    }

    /// Not here: see [`Answering`].
    #[doc(hidden)]
    pub fn postpone(&mut self, event: M::Event)
    where
        Self: Answering,
    {
        drop(event);
    }

    /// Calls `enter` once more when it returns, with the same previous state (R77). Sources that
    /// this call asked for are dropped unstarted. More than 1000 in one transition end the
    /// machine with [`ExitReason::Overflow`]. In init it does nothing: `enter` follows anyway.
    pub fn repeat(&mut self) {
        self.repeat = true;
    }
}

/// Holds for no context of `enter`: its `go` and `postpone` are there to say why they are not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`enter` can neither go on to another state nor postpone an event",
    label = "only `handle` can: it is given an event and answers what comes next",
    note = "to go on at once, let `enter` call `cx.insert(event)`: `handle` gets the event next, before all that wait, and can go"
)]
pub trait Answering {}

impl<M: Machine> Deref for EnterCx<M> {
    type Target = Actions<M>;

    fn deref(&self) -> &Actions<M> {
        &self.cx.actions
    }
}

impl<M: Machine> DerefMut for EnterCx<M> {
    fn deref_mut(&mut self) -> &mut Actions<M> {
        &mut self.cx.actions
    }
}

impl<M: Machine> fmt::Debug for Actions<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actions")
            .field("machine", &M::GRAPH.name)
            .finish_non_exhaustive()
    }
}

impl<M: Machine> fmt::Debug for Cx<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("machine", &M::GRAPH.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl<M: Machine> fmt::Debug for EnterCx<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterCx")
            .field("machine", &M::GRAPH.name)
            .field("previous", &self.previous())
            .finish_non_exhaustive()
    }
}

/// What the callbacks of one transition asked for. The lists keep their room from one transition to
/// the next.
pub(crate) struct Requests<M: Machine> {
    pub(crate) timeouts: Vec<Request<M>>,
    /// Room for the engine to put those in order.
    pub(crate) ordered: Vec<Request<M>>,
    /// Room for the engine to remember which timeouts were spoken of.
    pub(crate) keys: Vec<Key<M::Timeout>>,
    pub(crate) inserted: Vec<M::Event>,
    pub(crate) sources: Vec<NewSource<M::Event>>,
    pub(crate) postponed: Option<M::Event>,
    /// What enter stops the machine with.
    pub(crate) stop: Option<Box<ExitReason>>,
    released: Option<Arc<ReleaseList>>,
    /// Sources and timers are numbered in the order they were asked for.
    last_id: u64,
}

impl<M: Machine> Requests<M> {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Takes over guards that were made before the engine, numbered up to this.
    #[cfg(feature = "serde")]
    pub(crate) fn adopt(&mut self, list: Arc<ReleaseList>, number: u64) {
        self.released = Some(list);
        self.last_id = self.last_id.max(number);
    }

    fn release_list(&mut self) -> Arc<ReleaseList> {
        self.released.get_or_insert_default().clone()
    }
}

impl<M: Machine> Default for Requests<M> {
    fn default() -> Self {
        Requests {
            timeouts: Vec::new(),
            ordered: Vec::new(),
            keys: Vec::new(),
            inserted: Vec::new(),
            sources: Vec::new(),
            postponed: None,
            stop: None,
            released: None,
            last_id: 0,
        }
    }
}

/// A source asked for, not yet live.
pub(crate) struct NewSource<Event> {
    pub(crate) id: SourceId,
    pub(crate) source: BoxedSource<Event>,
    /// Whether it ends with the state rather than with a guard.
    pub(crate) of_state: bool,
    pub(crate) cell: Arc<Cell>,
}

/// A request for a timeout.
pub(crate) enum Request<M: Machine> {
    Start(Key<M::Timeout>, When, M::Event, Option<Arc<Cell>>),
    Update(Key<M::Timeout>, M::Event),
    Cancel(Key<M::Timeout>),
}

impl<M: Machine> Request<M> {
    pub(crate) fn key(&self) -> Key<M::Timeout> {
        match self {
            Request::Start(key, ..) | Request::Update(key, _) | Request::Cancel(key) => *key,
        }
    }
}

/// Which timeout (R52).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<Name> {
    State,
    Event,
    Named(Name),
    Guarded(TimerId),
}

#[derive(Clone, Copy)]
pub(crate) enum When {
    After(Duration),
    At(Duration),
}
