//! Which sources were woken (N28): each has a waker of its own, and only woken ones are polled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use crate::event::SourceId;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The woken sources, in the order they were woken, and the waker of each source.
pub(super) struct Ready<Event> {
    /// The one output of each source that came while the machine was suspended (N73), oldest first.
    pub(super) held: VecDeque<(SourceId, Event)>,
    woken: Arc<Woken>,
    wakers: BTreeMap<SourceId, (Arc<SourceWaker>, Waker)>,
    /// Turns and new sources until the wakers are looked through.
    until_look: usize,
    /// The waker that was left the last time the driver was about to sleep.
    left: Option<Waker>,
}

/// Turns and new sources between two looks through few wakers.
const LOOK: usize = 16;

struct Woken {
    list: Mutex<VecDeque<SourceId>>,
    /// How many are in the list, so that an empty one is not locked.
    count: AtomicUsize,
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
            count: AtomicUsize::new(0),
            parker: Parker::new(),
        };
        Ready {
            held: VecDeque::new(),
            woken: Arc::new(woken),
            wakers: BTreeMap::new(),
            until_look: LOOK,
            left: None,
        }
    }

    /// The driver runs: what is woken from here on it will see, or is told of by [`Ready::park`].
    pub(super) fn run(&self) {
        self.woken.parker.run();
    }

    /// The driver is about to sleep. False if a source was woken since it ran.
    pub(super) fn park(&mut self, waker: &Waker) -> bool {
        if !self.left.as_ref().is_some_and(|left| left.will_wake(waker)) {
            self.woken.parker.leave(waker);
            self.left = Some(waker.clone());
        }
        self.woken.parker.park()
    }

    /// A source was started: it is polled first in the next turn (N41). Gives its waker.
    pub(super) fn add(&mut self, source: SourceId) -> Waker {
        let listed = AtomicBool::new(true);
        self.woken.push(source);
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

    pub(super) fn waker(&self, source: SourceId) -> Option<&Waker> {
        self.wakers.get(&source).map(|(_, waker)| waker)
    }

    /// How many are woken.
    pub(super) fn woken(&self) -> usize {
        self.woken.count.load(Ordering::Acquire)
    }

    /// The source that has been awake longest. A wake from here on lists it again.
    pub(super) fn pop(&self) -> Option<SourceId> {
        let source = self.woken.pop()?;
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
                self.woken.push(source);
            }
        }
    }
}

impl Woken {
    fn push(&self, source: SourceId) {
        let mut list = self.lock();
        list.push_back(source);
        self.count.store(list.len(), Ordering::Release);
    }

    fn pop(&self) -> Option<SourceId> {
        let mut list = self.lock();
        let source = list.pop_front();
        self.count.store(list.len(), Ordering::Release);
        source
    }

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
            self.woken.push(self.source);
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
        // A swap, so that who overwrites a notice sees what it was about.
        self.phase.swap(RUNNING, Ordering::AcqRel);
    }

    /// Leaves the waker to use.
    fn leave(&self, waker: &Waker) {
        let replaced = self.lock().replace(waker.clone());
        drop(replaced);
    }

    fn park(&self) -> bool {
        self.phase
            .compare_exchange(RUNNING, PARKED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
