//! Which sources were woken (N28): each has a waker of its own, and only woken ones are polled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use crate::event::SourceId;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The woken sources, in the order they were woken, and the waker of each source.
pub(super) struct Ready<Event> {
    /// The one output of each source that came while the machine was suspended (N73), oldest first.
    pub(super) kept: VecDeque<(SourceId, Event)>,
    woken: Arc<Woken>,
    wakers: BTreeMap<SourceId, (Arc<SourceWaker>, Waker)>,
    /// Turns and new sources until the wakers are looked through.
    until_look: usize,
}

/// Turns and new sources between two looks through few wakers.
const LOOK: usize = 16;

struct Woken {
    list: Mutex<VecDeque<SourceId>>,
    parker: Parker,
}

struct SourceWaker {
    source: SourceId,
    /// Whether it is in the list.
    listed: AtomicBool,
    woken: Arc<Woken>,
}

impl<Event> Ready<Event> {
    pub(super) fn new() -> Self {
        let woken = Woken {
            list: Mutex::default(),
            parker: Parker::new(),
        };
        Ready {
            kept: VecDeque::new(),
            woken: Arc::new(woken),
            wakers: BTreeMap::new(),
            until_look: LOOK,
        }
    }

    /// The driver runs: what is woken from here on it will see, or is told of by [`Ready::park`].
    pub(super) fn run(&self) {
        self.woken.parker.run();
    }

    /// The driver is about to sleep. False if a source was woken since it ran.
    pub(super) fn park(&self, waker: &Waker) -> bool {
        self.woken.parker.park(waker)
    }

    /// A source was started: it is polled first in the next turn (N41). Gives its waker.
    pub(super) fn add(&mut self, source: SourceId) -> Waker {
        let listed = AtomicBool::new(true);
        self.woken.lock().push_back(source);
        let of_source = Arc::new(SourceWaker {
            source,
            listed,
            woken: self.woken.clone(),
        });
        let waker = Waker::from(of_source.clone());
        self.wakers.insert(source, (of_source, waker.clone()));
        self.until_look = self.until_look.saturating_sub(1);
        waker
    }

    /// A turn ends. Whether it is time to look for the wakers of sources that are gone: their
    /// number stays in proportion to the others, and the cost of a turn does not depend on it.
    pub(super) fn is_due(&mut self) -> bool {
        self.until_look = self.until_look.saturating_sub(1);
        self.until_look == 0
    }

    /// Drops the wakers of sources that are gone.
    pub(super) fn retain(&mut self, lives: impl Fn(SourceId) -> bool) {
        self.wakers.retain(|source, _| lives(*source));
        self.until_look = self.wakers.len().max(LOOK);
    }

    pub(super) fn waker(&self, source: SourceId) -> Option<Waker> {
        self.wakers.get(&source).map(|(_, waker)| waker.clone())
    }

    /// How many are woken.
    pub(super) fn woken(&self) -> usize {
        self.woken.lock().len()
    }

    /// The source that has been awake longest. A wake from here on lists it again.
    pub(super) fn pop(&self) -> Option<SourceId> {
        let source = self.woken.lock().pop_front()?;
        if let Some((waker, _)) = self.wakers.get(&source) {
            // A swap, so that what was done before a wake that found it listed is seen by the poll.
            waker.listed.swap(false, Ordering::AcqRel);
        }
        Some(source)
    }

    /// The source has more to give than it may in this turn.
    pub(super) fn push(&self, source: SourceId) {
        if let Some((waker, _)) = self.wakers.get(&source) {
            if !waker.listed.swap(true, Ordering::AcqRel) {
                self.woken.lock().push_back(source);
            }
        }
    }
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, VecDeque<SourceId>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for SourceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.woken.lock().push_back(self.source);
            self.woken.parker.wake();
        }
    }
}

/// Wakes the driver, and only when it sleeps: while it runs it looks by itself before it parks.
struct Parker {
    phase: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

const RUNNING: u8 = 0;
const PARKED: u8 = 1;
const NOTIFIED: u8 = 2;

impl Parker {
    fn new() -> Self {
        Parker {
            phase: AtomicU8::new(RUNNING),
            waker: Mutex::new(None),
        }
    }

    fn wake(&self) {
        if self.phase.swap(NOTIFIED, Ordering::AcqRel) == PARKED {
            let waker = self.lock().clone();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn run(&self) {
        self.phase.store(RUNNING, Ordering::Release);
    }

    fn park(&self, waker: &Waker) -> bool {
        let mut left = self.lock();
        let replaced = match &*left {
            Some(left) if left.will_wake(waker) => None,
            _ => left.replace(waker.clone()),
        };
        drop(left);
        drop(replaced);
        self.phase
            .compare_exchange(RUNNING, PARKED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
