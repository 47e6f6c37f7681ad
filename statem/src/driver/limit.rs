//! The limit of a call: a timer that costs next to nothing when the answer comes first.
//!
//! A `tokio::time::timeout` for each call puts a timer into the runtime's wheel and takes it out
//! again, which costs more than half a call. Here a timer is kept when its call has ended, still in
//! the wheel, and lent to the next call on the thread: an earlier deadline is only looked at again
//! when it fires. A task that gets back the timer it had before does not even poll it: the timer
//! still has its waker. The most kept on a thread is `KEPT`.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, Id};
use tokio::task;
use tokio::time::{Instant, Sleep};

use super::clock;
use crate::sync::thread_local;

/// A kept timer may hold the waker of a task that has ended until it fires, so not many are kept.
const KEPT: usize = 8;

thread_local! {
    static TIMERS: RefCell<Vec<Lent>> = const { RefCell::new(Vec::new()) };
}

/// Each call moves its timer several times: in a box, that costs little.
type Lent = Box<Timer>;

struct Timer {
    /// A timer works only on the runtime it was made on.
    runtime: Id,
    /// The task that polled it last, and the waker it left in it.
    task: Option<task::Id>,
    waker: Option<Waker>,
    sleep: Pin<Box<Sleep>>,
}

pub(super) struct Limit {
    deadline: Instant,
    timer: Option<Lent>,
    /// Whether the timer wakes the caller already.
    armed: bool,
}

impl Limit {
    /// With a timer, so that it panics for want of a runtime before anything was sent. To be polled
    /// first with this waker. Inlined, so that its parts are never moved through memory.
    #[inline]
    pub(super) fn new(deadline: Instant, waker: &Waker) -> Self {
        let timer = Timer::lend_armed(deadline, waker);
        Limit {
            deadline,
            armed: timer.is_some(),
            timer: timer.or_else(|| Some(Timer::lend(deadline))),
        }
    }

    /// Ready when the deadline has passed.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.armed) {
            return Poll::Pending;
        }
        self.poll_timer(cx)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let timer = self.timer.get_or_insert_with(|| Timer::lend(deadline));
        // Without the task's budget: a sleep that is told to wait for the next turn does not take
        // the waker, and a timer that is kept without one would never wake the call it is
        // lent to.
        while pin!(task::unconstrained(timer.sleep.as_mut()))
            .poll(cx)
            .is_ready()
        {
            if clock::now() >= deadline {
                return Poll::Ready(());
            }
            timer.sleep.as_mut().reset(deadline);
        }
        timer.task = task::try_id();
        if !timer
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            timer.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            // A thread that is being torn down keeps nothing.
            let _ = TIMERS.try_with(|timers| {
                if let Ok(mut timers) = timers.try_borrow_mut() {
                    if timers.len() < KEPT && !timer.sleep.is_elapsed() {
                        timers.push(timer);
                    }
                }
            });
        }
    }
}

impl Timer {
    /// A timer that this task had before and that wakes it early enough: there is nothing to do
    /// with it. The task tells that the runtime is the same one.
    fn lend_armed(deadline: Instant, waker: &Waker) -> Option<Lent> {
        let task = Some(task::try_id()?);
        TIMERS.with_borrow_mut(|timers| {
            let armed = |timer: &Lent| {
                timer
                    .waker
                    .as_ref()
                    .is_some_and(|left| left.will_wake(waker))
                    && timer.task == task
                    && timer.sleep.deadline() <= deadline
                    && !timer.sleep.is_elapsed()
            };
            timers
                .iter()
                .rposition(armed)
                .map(|place| timers.swap_remove(place))
        })
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is kept in its box")]
    fn lend(deadline: Instant) -> Lent {
        let runtime = Handle::current().id();
        let kept = TIMERS.with_borrow_mut(|timers| {
            timers.retain(|timer| timer.runtime == runtime);
            timers.pop()
        });
        match kept {
            Some(mut timer) => {
                if timer.sleep.deadline() > deadline {
                    timer.sleep.as_mut().reset(deadline);
                }
                timer
            }
            None => Box::new(Timer {
                runtime,
                task: None,
                waker: None,
                sleep: Box::pin(tokio::time::sleep_until(deadline)),
            }),
        }
    }
}
