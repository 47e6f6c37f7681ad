//! The values that own what runs beside a machine: [`Guard`] for a source, [`Timer`] for a dynamic
//! timeout.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use crate::event::{SourceId, TimerId};
use crate::scope;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// Owns a task, a stream or another source: it runs as long as this value lives (N35).
///
/// Keep it in the state's struct and it ends with the state; move it on with
/// [`go_with`](crate::At::go_with) and it goes on. Once it is dropped no event of the source is
/// handled any more, not even one that waits or was postponed (N36). The source itself is dropped
/// when the transition is complete (N37), or, if this is dropped on another thread, not later than
/// the machine's next transition.
///
/// ```
/// use statem::testing::Bench;
/// use statem::{Cx, EnterCx, Guard, Handler, Next, StateMachine};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Job {
///     #[initial]
///     #[to(Running)]
///     Idle,
///     #[to(Idle)]
///     Running(Running),
/// }
///
/// struct Running {
///     /// Dropped with the state: there is no other way to leave it running.
///     _work: Guard,
/// }
///
/// enum Event {
///     Start,
///     Cancel,
///     Done(u32),
/// }
///
/// impl Handler for Job {
///     fn handle(state: JobAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (JobAt::Idle(s), Event::Start) => s.go(Running { _work: cx.task(async { 42 }, Event::Done) }),
///             (JobAt::Running(s), Event::Cancel | Event::Done(_)) => s.go(Idle),
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// let mut job = Bench::new(Idle, ());
/// job.send(Event::Start);
/// assert_eq!(job.sources().count(), 1);
/// job.send(Event::Cancel);
/// assert_eq!(job.sources().count(), 0);
/// ```
#[must_use = "dropped, also by `let _ =`, the guard ends its source at once: keep it in the state or in the data"]
#[derive(Default)]
pub struct Guard {
    cell: Option<Arc<Cell>>,
}

/// Owns a dynamic timeout: dropped, the timeout is gone.
///
/// Its event is dropped when the transition is complete, or, if this is dropped elsewhere, at the
/// machine's next turn, which that brings about.
///
/// For timeouts that belong to a value, such as a request in a table: keep it beside the value.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::time::Duration;
/// use statem::testing::Bench;
/// use statem::{Cx, Handler, Next, StateMachine, Timer, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = BTreeMap<u32, Timer>)]
/// enum Leases {
///     #[initial]
///     #[to(Open)]
///     Open,
/// }
///
/// enum Event {
///     Lease(u32),
///     Return(u32),
///     Late(u32),
/// }
///
/// impl Handler for Leases {
///     fn handle(_: LeasesAt<'_>, event: Event, out: &mut BTreeMap<u32, Timer>, cx: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             Event::Lease(id) => drop(out.insert(id, cx.timer(Duration::from_secs(9), Event::Late(id)))),
///             Event::Return(id) | Event::Late(id) => drop(out.remove(&id)),
///         }
///         keep()
///     }
/// }
///
/// let mut leases = Bench::new(Open, BTreeMap::new());
/// leases.send(Event::Lease(1));
/// leases.send(Event::Lease(2));
/// leases.send(Event::Return(1));
/// assert_eq!(leases.timeouts().len(), 1);
/// leases.advance(Duration::from_secs(9));
/// assert!(leases.data().is_empty());
/// ```
#[must_use = "dropped, also by `let _ =`, the timer is cancelled at once: keep it in the state or in the data"]
#[derive(Default)]
pub struct Timer {
    cell: Option<Arc<Cell>>,
}

impl Guard {
    pub(crate) fn new(cell: Arc<Cell>) -> Self {
        Guard { cell: Some(cell) }
    }

    /// A guard of nothing, to put where one is taken from.
    pub fn inert() -> Self {
        Guard::default()
    }

    /// Takes the guard out and leaves an inert one: for a swap inside a state.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// The source, as events tell their [`Origin`](crate::Origin). `None` for an inert guard.
    #[must_use]
    pub fn id(&self) -> Option<SourceId> {
        self.cell.as_ref().map(|cell| SourceId(cell.id))
    }

    /// Lets a stream give `count` more outputs than its own credits allow, once each: these credits
    /// do not come back (N40). With a stream of no credits of its own this is passive reading.
    pub fn read(&self, count: usize) {
        if let Some(cell) = &self.cell {
            add(&cell.reads, count);
            cell.wake();
        }
    }

    /// Asks that the source's [`poll_flush`](crate::Source::poll_flush) be called at the end of
    /// this turn: how a value in the state's struct, such as a socket's write buffer, tells its
    /// source that there is something to do. Used outside of its machine, it wakes it.
    pub fn flush(&self) {
        if let Some(cell) = &self.cell {
            cell.flush();
        }
    }
}

impl Timer {
    pub(crate) fn new(cell: Arc<Cell>) -> Self {
        Timer { cell: Some(cell) }
    }

    /// A timer of nothing, to put where one is taken from.
    pub fn inert() -> Self {
        Timer::default()
    }

    /// Takes the timer out and leaves an inert one.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// The timer, as events tell their [`Origin`](crate::Origin). `None` for an inert one.
    #[must_use]
    pub fn id(&self) -> Option<TimerId> {
        self.cell.as_ref().map(|cell| TimerId(cell.id))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            cell.release(Released::Source(SourceId(cell.id)));
            cell.wake();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            cell.release(Released::Timer(TimerId(cell.id)));
            cell.list.wake();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.id()).finish()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.id()).finish()
    }
}

/// What a guard and the engine's entry for its source share.
pub(crate) struct Cell {
    id: u64,
    released: AtomicBool,
    /// Outputs the source may still give before one of them is consumed.
    credits: AtomicUsize,
    /// Outputs it may give beyond that, once each.
    reads: AtomicUsize,
    /// Whether it waits in the list of those to be flushed.
    flush: AtomicBool,
    /// Tells whoever polls the source that it may be polled.
    waker: Mutex<Option<Waker>>,
    list: Arc<ReleaseList>,
}

impl Cell {
    pub(crate) fn new(id: u64, credits: usize, list: Arc<ReleaseList>) -> Self {
        Cell {
            id,
            released: AtomicBool::new(false),
            credits: AtomicUsize::new(credits),
            reads: AtomicUsize::new(0),
            flush: AtomicBool::new(false),
            waker: Mutex::new(None),
            list,
        }
    }

    pub(crate) fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    pub(crate) fn has_credit(&self) -> bool {
        self.reads.load(Ordering::Acquire) > 0 || self.credits.load(Ordering::Acquire) > 0
    }

    /// Takes a credit for an output. Whether it is one of the source's own, which come back.
    pub(crate) fn take_credit(&self) -> bool {
        !take_one(&self.reads) && take_one(&self.credits)
    }

    /// Gives a credit back; a source that was out of credit is polled again.
    pub(crate) fn give_credit(&self) {
        if add(&self.credits, 1) == 0 {
            self.wake();
        }
    }

    pub(crate) fn set_waker(&self, waker: Waker) {
        *self.lock() = Some(waker);
    }

    pub(crate) fn wake(&self) {
        let waker = self.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Asks that the source be flushed at the end of this turn, once however often it is asked.
    fn flush(&self) {
        // Most of the time it was asked for already in this turn, which a load tells.
        if !self.flush.load(Ordering::Acquire) && !self.flush.swap(true, Ordering::AcqRel) {
            self.list.push_flush(SourceId(self.id));
            if !self.list.is_in_transition() {
                // Nobody is about to end a turn of this machine.
                self.wake();
            }
        }
    }

    /// The source is about to be flushed.
    pub(crate) fn flushing(&self) {
        self.flush.store(false, Ordering::Release);
    }

    fn release(&self, what: Released) {
        self.released.store(true, Ordering::Release);
        self.list.push(what);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds as far as there are numbers; gives the number before.
fn add(number: &AtomicUsize, count: usize) -> usize {
    let added = number.fetch_update(Ordering::AcqRel, Ordering::Acquire, |before| {
        Some(before.saturating_add(count))
    });
    added.unwrap_or_else(|before| before)
}

/// Takes one, if there is one.
fn take_one(number: &AtomicUsize) -> bool {
    number
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |before| {
            before.checked_sub(1)
        })
        .is_ok()
}

/// A guard that was dropped.
#[derive(Clone, Copy)]
pub(crate) enum Released {
    Source(SourceId),
    Timer(TimerId),
}

/// What guards tell the engine: that they were dropped, and that their sources want to be flushed.
/// One for each engine, made with its first guard.
#[derive(Default)]
pub(crate) struct ReleaseList {
    any: AtomicBool,
    /// How many sources want to be flushed: asked at the end of every turn, without the lock.
    flushes: AtomicUsize,
    /// The stamp of the engine's last transition.
    stamp: AtomicU64,
    lists: Mutex<Lists>,
    /// Wakes whoever drives the engine, for a timer that is dropped outside of its transitions.
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct Lists {
    released: Vec<Released>,
    flush: VecDeque<SourceId>,
}

impl ReleaseList {
    /// The engine has begun a transition. Not told of the one that made the list.
    pub(crate) fn begin(&self, stamp: u64) {
        self.stamp.store(stamp, Ordering::Relaxed);
    }

    /// Whether this thread runs a transition of this engine, and not of another.
    fn is_in_transition(&self) -> bool {
        // Stamps are never used again and only this thread can run one that it has.
        scope::stamp() != 0 && self.stamp.load(Ordering::Relaxed) == scope::stamp()
    }

    /// Whether guards were dropped. One load, so that it can be asked before every event.
    pub(crate) fn has_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The driver is about to sleep. False if a guard was dropped that it has not seen to.
    #[cfg(feature = "tokio")]
    pub(crate) fn park(&self, waker: &Waker) -> bool {
        let mut left = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = match &*left {
            Some(left) if left.will_wake(waker) => None,
            _ => left.replace(waker.clone()),
        };
        drop(left);
        drop(replaced);
        !self.has_any()
    }

    fn wake(&self) {
        if !self.is_in_transition() {
            let waker = self
                .waker
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) fn pop(&self) -> Option<Released> {
        let mut lists = self.lock();
        let released = lists.released.pop();
        self.any
            .store(!lists.released.is_empty(), Ordering::Release);
        released
    }

    pub(crate) fn pop_flush(&self) -> Option<SourceId> {
        if self.flushes() == 0 {
            return None;
        }
        let mut lists = self.lock();
        let source = lists.flush.pop_front();
        self.flushes.store(lists.flush.len(), Ordering::Release);
        source
    }

    pub(crate) fn flushes(&self) -> usize {
        self.flushes.load(Ordering::Acquire)
    }

    fn push(&self, released: Released) {
        self.lock().released.push(released);
        self.any.store(true, Ordering::Release);
    }

    fn push_flush(&self, source: SourceId) {
        let mut lists = self.lock();
        lists.flush.push_back(source);
        self.flushes.store(lists.flush.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
