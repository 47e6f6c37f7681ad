//! What the current thread is doing on behalf of a machine.
//!
//! A [`Reply`](crate::Reply) is a plain value and a [`Next`](crate::Next) is made by a plain
//! function; both must know the transition they are used in. It is kept here, for the thread: the
//! stamp of the transition, and the replies that wait for its end (N9). A transition is
//! synchronous, so a thread is the right place.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::call_cell::{CallCell, Failure};
use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{shared, thread_local};
use crate::trace::panic_in_drop;

/// Each thread counts its transitions from a start of its own, so that no two stamps are equal.
const STAMPS_OF_A_THREAD: u64 = 1 << 40;
shared! { static THREADS: AtomicU64 = AtomicU64::new(1); }

/// Replies of one transition whose room a thread keeps.
const ROOM: usize = 1024;

thread_local! {
    /// The stamp of the transition that runs on this thread, or 0.
    static STAMP: Cell<u64> = const { Cell::new(0) };
    static LAST: Cell<u64> = const { Cell::new(0) };
    /// Whether `WAITING` has entries: one byte to look at when a transition ends.
    static PENDING: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
    /// The machine that is being taken apart on this thread, and why. It is empty when the thread
    /// ends, and has no drop of its own: a machine may be taken apart later than that, by the drop
    /// of another value of the thread.
    static ENDING: RefCell<ManuallyDrop<Option<Ending>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

#[derive(Clone)]
pub(crate) struct Ending {
    pub(crate) machine: &'static str,
    pub(crate) reason: ExitReason,
    /// Whether it will be started again (N76).
    #[cfg(feature = "tokio")]
    pub(crate) restarts: bool,
    /// The transition that it is taken apart in, of another machine, or 0.
    stamp: u64,
}

impl Ending {
    /// What the caller of a reply that is dropped is told.
    pub(crate) fn failure(self) -> Failure {
        let (machine, reason) = (self.machine, self.reason);
        #[cfg(feature = "tokio")]
        if self.restarts {
            return Failure::Restarting { machine, reason };
        }
        Failure::Stopped { machine, reason }
    }
}

/// A call that ends with the running transition.
struct Waiting {
    call: Arc<dyn CallCell>,
    given: Given,
}

/// What a caller is given.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Given {
    Answer,
    /// A failure that is known already.
    Refusal,
    /// The reply was dropped.
    Nothing,
}

/// The stamp of the running transition; 0 outside of one.
pub(crate) fn stamp() -> u64 {
    STAMP.get()
}

/// Ends a call of the running transition without an answer, as its replies: when it ends (N9).
pub(crate) fn refuse(call: &Arc<dyn CallCell>, failure: Failure) {
    if call.refuse(failure) {
        if let Err(call) = hold(call.clone(), Given::Refusal) {
            call.publish();
        }
    }
}

/// Keeps a reply until the running transition ends. Gives it back if there is no transition, or the
/// thread keeps no list any more.
pub(crate) fn hold(call: Arc<dyn CallCell>, given: Given) -> Result<(), Arc<dyn CallCell>> {
    if STAMP.get() == 0 || with_waiting(|_| ()).is_none() {
        return Err(call);
    }
    // Nothing ends the list in between.
    with_waiting(|waiting| waiting.push(Waiting { call, given }));
    PENDING.set(true);
    Ok(())
}

/// The replies that wait; `None` when the thread has ended so far that it keeps none.
fn with_waiting<T>(f: impl FnOnce(&mut Vec<Waiting>) -> T) -> Option<T> {
    WAITING
        .try_with(|waiting| f(&mut waiting.borrow_mut()))
        .ok()
}

fn waiting_len() -> usize {
    with_waiting(|waiting| waiting.len()).unwrap_or(0)
}

/// The machine that is being taken apart on this thread, and why. Not where that drops another
/// machine, in a transition of that one: its `terminate`.
pub(crate) fn ending() -> Option<Ending> {
    let ending = ENDING.try_with(|ending| Option::clone(&ending.borrow()));
    let ending = ending.ok().flatten();
    ending.filter(|ending| ending.stamp == stamp())
}

/// Runs `take_apart`; replies that it drops say that this machine has stopped (N54b).
pub(crate) fn end<T>(
    machine: &'static str,
    reason: &ExitReason,
    take_apart: impl FnOnce() -> T,
) -> T {
    struct Restore(Option<Ending>);
    impl Drop for Restore {
        fn drop(&mut self) {
            drop(replace_ending(self.0.take()));
        }
    }
    let ending = Ending {
        machine,
        reason: reason.clone(),
        #[cfg(feature = "tokio")]
        restarts: false,
        stamp: stamp(),
    };
    let _restore = Restore(replace_ending(Some(ending)));
    take_apart()
}

/// As [`end`], for what a restart ends: replies of requests that no handler has had say so.
#[cfg(feature = "tokio")]
pub(crate) fn restart<T>(
    machine: &'static str,
    reason: &ExitReason,
    take_apart: impl FnOnce() -> T,
) -> T {
    end(machine, reason, || {
        let _ = ENDING.try_with(|ending| {
            if let Some(ending) = &mut **ending.borrow_mut() {
                ending.restarts = true;
            }
        });
        take_apart()
    })
}

/// Drops a value of a machine that ends; its replies say why. A panic here is caught and logged,
/// and the first reason stands (N65).
pub(crate) fn drop_at_end<T>(machine: &'static str, reason: &ExitReason, value: T) {
    caught(machine, || end(machine, reason, || drop(value)));
}

/// As [`drop_at_end`], for a value that waited for a machine that is started again (N76).
#[cfg(feature = "tokio")]
pub(crate) fn drop_at_restart<T>(machine: &'static str, reason: &ExitReason, value: T) {
    caught(machine, || restart(machine, reason, || drop(value)));
}

fn caught(machine: &'static str, take_apart: impl FnOnce()) {
    let dropped = catch_unwind(AssertUnwindSafe(take_apart));
    if let Err(payload) = dropped {
        panic_in_drop(
            machine,
            payload,
            "a `Drop` panicked while the machine ended",
        );
    }
}

fn replace_ending(new: Option<Ending>) -> Option<Ending> {
    let old = ENDING.try_with(|ending| std::mem::replace(&mut **ending.borrow_mut(), new));
    old.ok().flatten()
}

/// Runs what is not part of the transition that runs on this thread, if there is one: a driver
/// that is polled inside of a handler has sources of its own, whose replies do not wait for that
/// handler.
#[cfg(feature = "tokio")]
pub(crate) fn outside<T>(run: impl FnOnce() -> T) -> T {
    struct Restore(u64, bool, Vec<Waiting>);
    impl Drop for Restore {
        fn drop(&mut self) {
            STAMP.set(self.0);
            PENDING.set(self.1);
            with_waiting(|waiting| *waiting = std::mem::take(&mut self.2));
        }
    }
    if STAMP.get() == 0 {
        return run();
    }
    let waiting = with_waiting(std::mem::take).unwrap_or_default();
    let _restore = Restore(STAMP.take(), PENDING.take(), waiting);
    run()
}

/// A running transition.
pub(crate) struct Transition {
    pub(crate) stamp: u64,
    /// The place of the state it began in.
    pub(crate) from: usize,
    /// The transition around this one, when a handler drives another engine.
    outer: u64,
    /// Where its replies begin in `WAITING`.
    base: usize,
    /// Where the replies begin that were dropped after the old state had gone.
    entered: usize,
}

impl Transition {
    pub(crate) fn begin(from: usize) -> Self {
        let mut stamp = LAST.get().wrapping_add(1);
        if stamp == 1 {
            stamp = THREADS
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(STAMPS_OF_A_THREAD)
                .wrapping_add(1);
        }
        LAST.set(stamp);
        let outer = STAMP.replace(stamp);
        let base = if outer == 0 { 0 } else { waiting_len() };
        Transition {
            stamp,
            from,
            outer,
            base,
            entered: usize::MAX,
        }
    }

    /// Whether replies wait for the end of this transition.
    pub(crate) fn has_replies(&self) -> bool {
        PENDING.get() && (self.base == 0 || waiting_len() > self.base)
    }

    /// The old state has gone: replies dropped from here on were dropped in the new one.
    pub(crate) fn entered(&mut self) {
        self.entered = if PENDING.get() {
            waiting_len()
        } else {
            self.base
        };
    }

    /// Ends the transition: its replies become visible in the order given. Those that were dropped
    /// in it tell their callers the state they were dropped in. Says how many were given.
    pub(crate) fn end(self, machine: &'static str, from: &'static str, to: &'static str) -> u64 {
        let entered = self.entered;
        self.publish(machine, |place| Failure::NotAnswered {
            machine,
            state: Some(if place < entered { from } else { to }),
        })
    }

    /// Ends a transition that was not completed: replies given in it stay given, those dropped in
    /// it say why. Says how many were given.
    pub(crate) fn abort(self, machine: &'static str, reason: &ExitReason) -> u64 {
        self.publish(machine, |_| Failure::Stopped {
            machine,
            reason: reason.clone(),
        })
    }

    /// Ends a transition in which no reply was given or dropped.
    pub(crate) fn end_without_replies(self) {
        STAMP.set(self.outer);
    }

    fn publish(self, machine: &'static str, dropped: impl Fn(usize) -> Failure) -> u64 {
        STAMP.set(self.outer);
        if !self.has_replies() {
            return 0;
        }
        // A caller's waker runs foreign code, which may use replies itself: the list is not
        // borrowed meanwhile.
        let replies = with_waiting(|waiting| {
            if self.base == 0 {
                std::mem::take(waiting)
            } else {
                waiting.split_off(self.base)
            }
        });
        PENDING.set(self.base != 0);
        let Some(mut replies) = replies else { return 0 };
        let mut answers = 0;
        for (place, reply) in replies.drain(..).enumerate() {
            answers += u64::from(reply.given == Given::Answer);
            // So does an answer whose caller has gone: it is dropped here. A panic in either is
            // none of the machine's.
            let published = catch_unwind(AssertUnwindSafe(|| {
                let Waiting { call, given } = reply;
                if given == Given::Nothing {
                    call.fail(dropped(self.base + place));
                } else {
                    call.publish();
                }
            }));
            if let Err(payload) = published {
                panic_in_drop(machine, payload, "the way back of a call panicked");
            }
        }
        // The list keeps its room, so that a warm thread allocates nothing; not that of a burst.
        with_waiting(|waiting| {
            if waiting.capacity() == 0 && replies.capacity() <= ROOM {
                *waiting = replies;
            }
        });
        answers
    }
}
