//! The way back of a call: [`Reply`] in the event, [`Answer`] with the caller.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::call_cell::{CallCell, Failure};
use crate::error::CallError;
use crate::scope::{self, Given};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard, shared};

/// The caller's way back: a value that answers one call, once.
///
/// It can be stored in a state, moved into a task or sent to another machine. Dropped unanswered,
/// the caller learns at once ([`CallError::NotAnswered`]); dropped because its machine ends, the
/// caller gets the reason ([`CallError::Stopped`], N54b).
///
/// An answer given inside a transition becomes visible to the caller when that transition is
/// complete (N9), so a caller that has its answer never sees an older state of the machine. Outside
/// of a transition it is visible at once.
///
/// ```
/// use statem::engine::Engine;
/// use statem::{CallError, Cx, Handler, Next, Reply, StateMachine, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Vec<Reply<u32>>)]
/// enum Desk {
///     #[initial]
///     #[to(Open)]
///     Open,
/// }
///
/// enum Event {
///     Ask(Reply<u32>),
///     Answer(u32),
/// }
///
/// impl Handler for Desk {
///     fn handle(_: DeskAt<'_>, event: Event, waiting: &mut Vec<Reply<u32>>, _: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             Event::Ask(reply) => waiting.push(reply),
///             Event::Answer(value) => {
///                 for reply in waiting.drain(..) {
///                     // `Err` if the caller has gone: nothing is to be done about it here.
///                     let _ = reply.send(value);
///                 }
///             }
///         }
///         keep()
///     }
/// }
///
/// let clock = || std::time::Duration::ZERO;
/// let mut desk = Engine::new(Open, Vec::new());
/// desk.start(&clock);
/// let mut first = desk.call(Event::Ask, &clock);
/// assert!(first.try_take().is_none());
/// desk.handle(Event::Answer(7), &clock);
/// assert!(matches!(first.try_take(), Some(Ok(7))));
///
/// let mut second = desk.call(Event::Ask, &clock);
/// desk.data_mut().unwrap().clear();
/// assert!(matches!(second.try_take(), Some(Err(CallError::NotAnswered { machine: "Desk", .. }))));
/// ```
#[must_use = "a dropped reply tells the caller that nobody answered"]
pub struct Reply<T: Send + 'static, E: Send + 'static = Infallible> {
    /// `None` once it was used.
    call: Option<Arc<Slot<T, E>>>,
}

impl<T: Send + 'static, E: Send + 'static> Reply<T, E> {
    /// Answers with a value.
    ///
    /// # Errors
    ///
    /// Gives the value back if the caller has gone: the answer would reach nobody. A caller whose limit
    /// has passed goes when it is next polled.
    pub fn send(mut self, value: T) -> Result<(), T> {
        self.answer(Ok(value)).map_err(|outcome| match outcome {
            Ok(value) => value,
            Err(_) => unreachable!("a value was sent"),
        })
    }

    /// Answers with the machine's own error, which the caller gets as [`CallError::Failed`].
    ///
    /// # Errors
    ///
    /// Gives the error back if the caller has gone, as [`Reply::send`] does with the value.
    pub fn fail(mut self, error: E) -> Result<(), E> {
        if self.is_closed() {
            return Err(error);
        }
        self.answer(Err(Box::new(CallError::Failed(error))))
            .map_err(|outcome| match outcome.map_err(|error| *error) {
                Err(CallError::Failed(error)) => error,
                _ => unreachable!("an error was sent"),
            })
    }

    /// Whether the caller has gone, so that an answer would reach nobody.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.call.as_ref().is_none_or(|call| call.is_gone())
    }

    /// Returns the call to waiting: nothing was done for it yet. For a machine that keeps calls in a
    /// queue of its own, as postponing does for the events of the engine's (N51).
    ///
    /// Until it is [taken up](Reply::take_up), a caller whose limit passes is told `begun: false`,
    /// and so is one whose machine ends: both are proofs that the request did not run. It is the
    /// machine's word, so do nothing for a call that is set aside but answer it. Nothing happens if
    /// it is set aside already, or the caller has gone: one that left before is told `begun: true`.
    ///
    /// ```
    /// use std::collections::VecDeque;
    /// use statem::engine::Engine;
    /// use statem::{Cx, Handler, Next, Reply, StateMachine, keep};
    ///
    /// /// Takes jobs at any time, and does one when it is told to.
    /// #[derive(StateMachine)]
    /// #[machine(event = Event, data = Queue)]
    /// enum Worker {
    ///     #[initial]
    ///     #[to(Ready)]
    ///     Ready,
    /// }
    ///
    /// #[derive(Default)]
    /// struct Queue {
    ///     waiting: VecDeque<(u32, Reply<u32>)>,
    ///     done: u32,
    /// }
    ///
    /// enum Event {
    ///     Double(u32, Reply<u32>),
    ///     Next,
    /// }
    ///
    /// impl Handler for Worker {
    ///     fn handle(_: WorkerAt<'_>, event: Event, queue: &mut Queue, _: &mut Cx<Self>) -> Next<Self> {
    ///         match event {
    ///             Event::Double(number, reply) => {
    ///                 reply.set_aside();
    ///                 queue.waiting.push_back((number, reply));
    ///             }
    ///             Event::Next => {
    ///                 while let Some((number, reply)) = queue.waiting.pop_front() {
    ///                     if reply.take_up() {
    ///                         queue.done += 1;
    ///                         let _ = reply.send(2 * number);
    ///                         break;
    ///                     }
    ///                 }
    ///             }
    ///         }
    ///         keep()
    ///     }
    /// }
    ///
    /// let clock = || std::time::Duration::ZERO;
    /// let mut worker = Engine::new(Ready, Queue::default());
    /// worker.start(&clock);
    /// drop(worker.call(|reply| Event::Double(1, reply), &clock));
    /// let mut second = worker.call(|reply| Event::Double(2, reply), &clock);
    /// worker.handle(Event::Next, &clock);
    /// assert!(matches!(second.try_take(), Some(Ok(4))));
    /// // The caller of the first had gone: it was not done.
    /// assert_eq!(worker.data().unwrap().done, 1);
    /// ```
    pub fn set_aside(&self) {
        if let Some(call) = &self.call {
            call.release();
        }
    }

    /// Begins with a call that was [set aside](Reply::set_aside), unless its caller has gone.
    ///
    /// This and the caller's giving up race for one atomic cell (N51). `false`: the caller was told,
    /// or will be, that the request did not run, so it must not; what is left to do is to drop the
    /// reply. `true`: from here on the caller counts it as begun. A call that was not set aside is
    /// begun already, and the answer is whether its caller is still there.
    #[must_use = "if it is `false`, the request must not run: its caller has gone"]
    pub fn take_up(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.take_up())
    }

    /// When the call's limit passes, in time since the start of the machine it was sent to, or of
    /// the one it was last [forwarded](crate::Handle::try_forward) to.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.call.as_ref().and_then(|call| call.deadline())
    }

    /// The call as the queues carry it.
    #[cfg(feature = "tokio")]
    pub(crate) fn cell(&self) -> Option<Arc<dyn CallCell>> {
        self.call.clone().map(|call| -> Arc<dyn CallCell> { call })
    }

    fn answer(&mut self, outcome: Outcome<T, E>) -> Result<(), Outcome<T, E>> {
        let Some(call) = self.call.take() else {
            return Err(outcome);
        };
        call.give(outcome)?;
        if let Err(call) = scope::hold(call, Given::Answer) {
            call.publish();
        }
        Ok(())
    }
}

impl<T: Send + 'static, E: Send + 'static> Drop for Reply<T, E> {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        if call.is_settled() {
            return;
        }
        let machine = call.machine;
        // Whoever held it last is to blame, which need not be the machine that was called; where no
        // machine is known there is only that one to name.
        if let Some(ending) = scope::ending() {
            call.fail(ending.failure());
        } else if let Err(call) = scope::hold(call, Given::Nothing) {
            call.fail(Failure::NotAnswered {
                machine,
                state: None,
            });
        }
    }
}

impl<T: Send + 'static, E: Send + 'static> fmt::Debug for Reply<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// The answer of a call that was given to an engine by hand. A future without a limit.
///
/// Dropping it gives the call up: if no handler has begun with it, none will (N52).
#[must_use = "an answer that is dropped gives the call up"]
pub struct Answer<T: Send + 'static, E: Send + 'static = Infallible> {
    /// `None` once it has given its outcome.
    call: Option<Arc<Slot<T, E>>>,
}

impl<T: Send + 'static, E: Send + 'static> Answer<T, E> {
    /// A reply and its answer. `deadline` is what the handler reads; nobody here watches it.
    /// With the `waker` of a caller that is about to wait, the first poll has nothing to leave.
    pub(crate) fn channel(
        machine: &'static str,
        deadline: Option<Deadline>,
        waker: Option<&Waker>,
    ) -> (Reply<T, E>, Self) {
        let call = Arc::new(Slot {
            phase: AtomicU8::new(WAITING),
            moved: AtomicBool::new(false),
            machine,
            first: waker.cloned(),
            inner: Mutex::new(Inner {
                outcome: None,
                waker: None,
                deadline,
            }),
        });
        (
            Reply {
                call: Some(call.clone()),
            },
            Answer { call: Some(call) },
        )
    }

    /// The call as the queues carry it, if it has no outcome yet.
    pub(crate) fn cell(&self) -> Option<Arc<dyn CallCell>> {
        self.call.clone().map(|call| -> Arc<dyn CallCell> { call })
    }

    /// The outcome, if there is one. Gives it once.
    pub fn try_take(&mut self) -> Option<Result<T, CallError<E>>> {
        self.take().map(told)
    }

    /// As [`Answer::try_take`], in the shape in which it is kept: that is smaller to hand on.
    fn take(&mut self) -> Option<Outcome<T, E>> {
        if !self.call.as_ref()?.is_over() {
            return None;
        }
        // Mostly everybody else has let go of it by then: then there is nothing to lock.
        match Arc::try_unwrap(self.call.take()?) {
            Ok(slot) => {
                let inner = slot.inner.into_inner();
                inner.unwrap_or_else(PoisonError::into_inner).outcome
            }
            Err(call) => call.lock().outcome.take(),
        }
    }

    /// Gives the call up: its outcome if it has one, otherwise whether a handler has consumed it
    /// (N51).
    #[cfg(feature = "tokio")]
    pub(crate) fn give_up(&mut self) -> Result<Result<T, CallError<E>>, bool> {
        match self.call.as_ref().and_then(|call| call.leave()) {
            Some(begun) => Err(begun),
            None => self.try_take().ok_or(true),
        }
    }
}

impl<T: Send + 'static, E: Send + 'static> Future for Answer<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.take() {
            return Poll::Ready(told(outcome));
        }
        let Some(call) = &self.call else {
            return Poll::Pending;
        };
        let unmoved = !call.moved.load(Ordering::Relaxed);
        if unmoved
            && call
                .first
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        let mut inner = call.lock();
        // A waker is foreign code: the old one is dropped without the lock.
        let replaced = inner.waker.replace(cx.waker().clone());
        // `publish` sets the phase before it looks for a waker, so one of the two sees the other.
        call.moved.store(true, Ordering::SeqCst);
        let done = matches!(call.phase.load(Ordering::SeqCst), DONE | ENDED);
        let outcome = if done { inner.outcome.take() } else { None };
        drop(inner);
        drop(replaced);
        outcome.map_or(Poll::Pending, |outcome| Poll::Ready(told(outcome)))
    }
}

impl<T: Send + 'static, E: Send + 'static> Drop for Answer<T, E> {
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            call.leave();
        }
    }
}

impl<T: Send + 'static, E: Send + 'static> fmt::Debug for Answer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_done = self.call.as_ref().is_none_or(|call| call.is_over());
        f.debug_struct("Answer")
            .field("done", &is_done)
            .finish_non_exhaustive()
    }
}

shared! {
    /// Callers of this process that have gone without an answer. Who has looked for them need not
    /// look again until there is another one.
    static GONE_EVER: AtomicUsize = AtomicUsize::new(0);
}

pub(crate) fn callers_gone() -> usize {
    GONE_EVER.load(Ordering::SeqCst)
}

/// In a queue: no handler has it, or it was given back.
const WAITING: u8 = 0;
/// A handler has it.
const BEGUN: u8 = 1;
/// The caller has gone while it was waiting: no handler will get it.
const GONE: u8 = 2;
/// The caller has gone after a handler had it.
const LEFT: u8 = 3;
/// The outcome is there for the caller to take.
const DONE: u8 = 4;
/// As `DONE`, and no handler will get the event.
const ENDED: u8 = 5;

/// What a [`Reply`], its [`Answer`] and the event's place in the queues share.
struct Slot<T, E> {
    phase: AtomicU8,
    /// Whether the caller waits with another waker than the first, which is in `inner` then.
    moved: AtomicBool,
    machine: &'static str,
    /// The waker that the caller had when it sent the call: nearly always the one to wake, and it
    /// takes no lock.
    first: Option<Waker>,
    inner: Mutex<Inner<T, E>>,
}

struct Inner<T, E> {
    outcome: Option<Outcome<T, E>>,
    waker: Option<Waker>,
    deadline: Option<Deadline>,
}

/// The outcome of a call, as it is kept: most are answers, and an error takes more room than most of
/// them.
type Outcome<T, E> = Result<T, Box<CallError<E>>>;

fn told<T, E>(outcome: Outcome<T, E>) -> Result<T, CallError<E>> {
    outcome.map_err(|error| *error)
}

/// When the limit of a call passes, and what the machine that has the call counts its time from.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) start: Instant,
}

impl<T, E> Slot<T, E> {
    /// Nothing that runs under this lock panics but a foreign waker's clone, which leaves the
    /// values whole.
    fn lock(&self) -> MutexGuard<'_, Inner<T, E>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves from one phase to another; false if it was in a third.
    fn shift(&self, from: u8, to: u8) -> bool {
        self.phase
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::Acquire)
            .is_ok()
    }

    /// Whether the caller can take an outcome.
    fn is_over(&self) -> bool {
        matches!(self.phase.load(Ordering::Acquire), DONE | ENDED)
    }

    /// Whether it has an outcome, visible or not.
    fn is_settled(&self) -> bool {
        self.is_over() || self.lock().outcome.is_some()
    }

    /// As `begin`, for a machine that has the call in a queue of its own: what ended meanwhile is
    /// not begun.
    fn take_up(&self) -> bool {
        self.shift(WAITING, BEGUN) || self.phase.load(Ordering::Acquire) == BEGUN
    }

    fn give(&self, outcome: Outcome<T, E>) -> Result<(), Outcome<T, E>> {
        if !matches!(self.phase.load(Ordering::Acquire), WAITING | BEGUN) {
            return Err(outcome);
        }
        let mut inner = self.lock();
        if inner.outcome.is_some() {
            return Err(outcome);
        }
        inner.outcome = Some(outcome);
        Ok(())
    }

    /// The outcome is there: the caller is woken.
    fn wake(&self) {
        if self.moved.load(Ordering::SeqCst) {
            let waker = self.lock().waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        } else if let Some(waker) = &self.first {
            waker.wake_by_ref();
        }
    }

    /// The caller leaves. `Some(begun)` if it leaves without an outcome, `None` if the outcome is
    /// there.
    fn leave(&self) -> Option<bool> {
        let begun = loop {
            match self.phase.load(Ordering::Acquire) {
                WAITING if self.shift(WAITING, GONE) => break false,
                BEGUN if self.shift(BEGUN, LEFT) => break true,
                GONE => return Some(false),
                LEFT => return Some(true),
                DONE | ENDED => return None,
                _ => {}
            }
        };
        GONE_EVER.fetch_add(1, Ordering::SeqCst);
        Some(begun)
    }
}

impl<T: Send, E: Send> CallCell for Slot<T, E> {
    fn begin(&self) -> bool {
        // An event that was answered and then given back has an outcome already; nobody has given
        // it up.
        self.shift(WAITING, BEGUN) || !self.is_gone()
    }

    fn release(&self) {
        if !self.shift(BEGUN, WAITING) {
            self.shift(LEFT, GONE);
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self.phase.load(Ordering::Acquire), GONE | LEFT | ENDED)
    }

    fn deadline(&self) -> Option<Duration> {
        let deadline = self.lock().deadline?;
        Some(deadline.at.saturating_duration_since(deadline.start))
    }

    #[cfg(feature = "tokio")]
    fn set_start(&self, start: Instant) {
        if let Some(deadline) = &mut self.lock().deadline {
            deadline.start = start;
        }
    }

    fn fail(&self, failure: Failure) {
        let ended = failure.ended();
        if !self.refuse(failure) {
            return;
        }
        if let Some((machine, reason)) = ended {
            // Not to have begun is a proof (N51): no handler may get the event any more, wherever
            // it is.
            if self.shift(WAITING, ENDED) {
                GONE_EVER.fetch_add(1, Ordering::SeqCst);
                self.wake();
                return;
            }
            self.lock().outcome = Some(Err(Box::new(CallError::Stopped {
                machine,
                reason,
                begun: true,
            })));
        }
        self.publish();
    }

    fn refuse(&self, failure: Failure) -> bool {
        if self.is_gone() {
            return false;
        }
        let error = match failure {
            Failure::Full { machine, what } => CallError::Full { machine, what },
            Failure::NotAnswered { machine, state } => CallError::NotAnswered { machine, state },
            Failure::Unexpected { machine, state } => CallError::Unexpected { machine, state },
            Failure::Stopped { machine, reason } => CallError::Stopped {
                machine,
                reason,
                begun: false,
            },
            #[cfg(feature = "tokio")]
            Failure::Restarting { machine, .. } => CallError::Restarting { machine },
        };
        self.give(Err(Box::new(error))).is_ok()
    }

    fn publish(&self) {
        // Again if another thread begins with the event, or gives it back, while its reply is used
        // elsewhere.
        loop {
            match self.phase.load(Ordering::Acquire) {
                phase @ (WAITING | BEGUN) => {
                    if self.shift(phase, DONE) {
                        return self.wake();
                    }
                }
                _ => return,
            }
        }
    }
}
