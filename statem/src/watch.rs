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
    /// It has ended. The last status of a machine.
    Stopped(ExitReason),
}

/// The state before the first enter call has finished.
const STARTING: u32 = u32::MAX;

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
    stopped: Option<Box<ExitReason>>,
    /// Made by the first watcher.
    watchers: Option<Box<Watchers>>,
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
        let state = state.try_into().unwrap_or(STARTING);
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

    /// The machine has ended: the last thing it shows.
    pub(crate) fn stop(&self, reason: ExitReason) {
        self.lock().stopped.get_or_insert_with(|| Box::new(reason));
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
            state => Status::Running(name(state as usize)),
        }
    }

    pub(crate) fn stopped(&self) -> Option<ExitReason> {
        self.lock().stopped.as_deref().cloned()
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
