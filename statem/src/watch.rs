//! What a machine shows of itself while it runs: the name of its state, and at last the reason of
//! its end (N71).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// What a machine is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// Its first enter call has not finished.
    Starting,
    /// It is in the state of this name.
    Running(&'static str),
    /// It has ended and will be started again by its supervisor (N77).
    Restarting,
    /// It has ended. The last status of a machine.
    Stopped(ExitReason),
}

/// The state before the first enter call has finished.
const STARTING: u32 = u32::MAX;
/// Between two lives.
const RESTARTING: u32 = u32::MAX - 1;

/// Set by the engine after each complete transition, read by handles.
pub(crate) struct Published {
    state: AtomicU32,
    /// Whether watchers wait, so that a transition without any takes no lock.
    waiting: AtomicBool,
    version: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Made by the first end: the only one of most machines.
    past: Option<Box<Past>>,
    /// Made by the first watcher.
    watchers: Option<Box<Watchers>>,
}

/// The lives of a machine that have ended (N76).
#[derive(Default)]
struct Past {
    /// The final end.
    stopped: Option<ExitReason>,
    /// Lives that ended and were not, or not yet, the last one, and why the latest of them did.
    lives: u64,
    last: Option<ExitReason>,
    restarts: u64,
}

#[derive(Default)]
struct Watchers {
    /// The name of the last one.
    last: u64,
    /// Those that wait.
    waiting: BTreeMap<u64, Waker>,
}

impl Published {
    pub(crate) fn new() -> Self {
        Published {
            state: AtomicU32::new(STARTING),
            waiting: AtomicBool::new(false),
            version: AtomicU64::new(0),
            inner: Mutex::default(),
        }
    }

    /// A transition into this state is complete.
    pub(crate) fn set(&self, state: usize) {
        // No machine has that many states.
        self.show(state.try_into().unwrap_or(STARTING));
    }

    fn show(&self, state: u32) {
        // Nobody else writes it.
        if self.state.load(Ordering::Relaxed) == state {
            return;
        }
        self.state.store(state, Ordering::Release);
        self.version.fetch_add(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// One life of the machine has ended, and it is not said yet whether there is another (N76).
    pub(crate) fn life_ended(&self, reason: ExitReason) {
        let mut inner = self.lock();
        let past = inner.past.get_or_insert_default();
        past.lives += 1;
        let before = past.last.replace(reason);
        drop(inner);
        drop(before);
        self.version.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    /// There is to be another life (N77).
    pub(crate) fn restarting(&self) {
        self.lock().past.get_or_insert_default().restarts += 1;
        self.show(RESTARTING);
    }

    /// Takes an end back that has been told. Whether there was one.
    pub(crate) fn reopen(&self) -> bool {
        let mut inner = self.lock();
        let past = inner.past.as_mut();
        let stopped = past.and_then(|past| past.stopped.take());
        drop(inner);
        stopped.is_some()
    }

    /// A life begins.
    pub(crate) fn starting(&self) {
        self.show(STARTING);
    }

    /// How many lives have ended without the machine's final end, and why the latest of them did.
    pub(crate) fn lives(&self) -> (u64, Option<ExitReason>) {
        let inner = self.lock();
        let past = inner.past.as_deref();
        past.map_or((0, None), |past| (past.lives, past.last.clone()))
    }

    pub(crate) fn restarts(&self) -> u64 {
        let inner = self.lock();
        inner.past.as_ref().map_or(0, |past| past.restarts)
    }

    /// The machine has ended: the last thing it shows.
    pub(crate) fn stop(&self, reason: ExitReason) {
        let mut inner = self.lock();
        let past = inner.past.get_or_insert_default();
        past.stopped.get_or_insert(reason);
        drop(inner);
        self.version.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// The status, in the words of the graph.
    pub(crate) fn status(&self, name: impl Fn(usize) -> &'static str) -> Status {
        if let Some(reason) = self.stopped() {
            return Status::Stopped(reason);
        }
        match self.state.load(Ordering::Acquire) {
            STARTING => Status::Starting,
            RESTARTING => Status::Restarting,
            state => Status::Running(name(state as usize)),
        }
    }

    pub(crate) fn stopped(&self) -> Option<ExitReason> {
        let inner = self.lock();
        inner.past.as_ref().and_then(|past| past.stopped.clone())
    }

    /// A name for one watcher, under which it waits.
    pub(crate) fn watcher(&self) -> u64 {
        let mut inner = self.lock();
        let watchers = inner.watchers.get_or_insert_default();
        watchers.last += 1;
        watchers.last
    }

    /// Ready when something was published after `seen`.
    pub(crate) fn poll_changed(&self, watcher: u64, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        let mut inner = self.lock();
        let waker = cx.waker().clone();
        let watchers = inner.watchers.get_or_insert_default();
        let left = watchers.waiting.insert(watcher, waker);
        self.waiting.store(true, Ordering::SeqCst);
        drop(inner);
        drop(left);
        // `set` changes the version before it looks for watchers, so one of the two sees the other.
        let version = self.version();
        if version == seen {
            Poll::Pending
        } else {
            Poll::Ready(version)
        }
    }

    /// The watcher has gone.
    pub(crate) fn forget(&self, watcher: u64) {
        let mut inner = self.lock();
        let watchers = inner.watchers.get_or_insert_default();
        let left = watchers.waiting.remove(&watcher);
        self.waiting
            .store(!watchers.waiting.is_empty(), Ordering::SeqCst);
        drop(inner);
        drop(left);
    }

    fn wake(&self) {
        // A waker is foreign code: it runs without the lock.
        let waiting = {
            let mut inner = self.lock();
            self.waiting.store(false, Ordering::SeqCst);
            inner
                .watchers
                .as_mut()
                .map_or_else(BTreeMap::new, |watchers| {
                    std::mem::take(&mut watchers.waiting)
                })
        };
        wake_all(waiting.into_values());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes all who wait, each under its own catch: a waker is foreign code, and one that panics is
/// not to keep the others asleep.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            std::mem::forget(payload);
        }
    }
}
