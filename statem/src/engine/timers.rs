//! The timer table T and the zero queue Z: what is running, and in what order it is due.
//!
//! | | cancelled by a change of state | by any event | by its guard |
//! |---|---|---|---|
//! | state timeout (R57) | yes | no | – |
//! | event timeout (R60) | yes | yes | – |
//! | named timeout (R59) | no | no | – |
//! | timer | no | no | yes |

#[cfg(feature = "tokio")]
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::context::Key;
use crate::event::TimerId;

/// One running instance of a timeout: a restart makes a new one, an update does not (R62, R65).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    slot: usize,
    order: u64,
}

/// A deadline that overflowed: the timer runs and never fires (N25).
const NEVER: Duration = Duration::MAX;

pub(super) struct Timers<Name, Event> {
    slots: Vec<Option<Timer<Name, Event>>>,
    free: Vec<usize>,
    /// Slots by deadline, then start order (N26): a binary heap, each slot knowing its place.
    heap: Vec<usize>,
    /// Slots that are due without a clock, in the order they were asked for (R67).
    zero: VecDeque<usize>,
    state: Option<usize>,
    event: Option<usize>,
    named: Vec<(Name, usize)>,
    guarded: BTreeMap<TimerId, usize>,
    /// The start order of the next timer.
    order: u64,
    /// The latest time the engine was told when it started a timer.
    now: Duration,
    /// The instances that were due when they were collected, the first one last.
    #[cfg(feature = "tokio")]
    collected: Vec<Instance>,
    /// Those due at this time and started up to this order were collected before: what is left of
    /// them goes first, or timers that begin again in the past would starve them.
    #[cfg(feature = "tokio")]
    collected_to: (Duration, u64),
}

struct Timer<Name, Event> {
    key: Key<Name>,
    deadline: Duration,
    order: u64,
    event: Event,
    /// Its place in the heap; `None` in the zero queue.
    place: Option<usize>,
}

impl<Name: Copy + Eq, Event> Timers<Name, Event> {
    pub(super) fn new() -> Self {
        Timers {
            slots: Vec::new(),
            free: Vec::new(),
            heap: Vec::new(),
            zero: VecDeque::new(),
            state: None,
            event: None,
            named: Vec::new(),
            guarded: BTreeMap::new(),
            order: 0,
            now: Duration::ZERO,
            #[cfg(feature = "tokio")]
            collected: Vec::new(),
            #[cfg(feature = "tokio")]
            collected_to: (Duration::ZERO, 0),
        }
    }

    /// Tells the time, which never runs backwards.
    pub(super) fn tell(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    /// The deadline of a timeout that counts from the time told last (N24).
    pub(super) fn after(&self, after: Duration) -> Option<Duration> {
        self.now.checked_add(after)
    }

    /// Starts a timeout, in place of one that runs under the same key (R53). Gives back the event
    /// it replaces.
    pub(super) fn start(
        &mut self,
        key: Key<Name>,
        deadline: Option<Duration>,
        event: Event,
    ) -> Option<Event> {
        let replaced = self.cancel(key);
        let slot = self.insert(key, deadline.unwrap_or(NEVER), event);
        self.push(slot);
        replaced
    }

    /// Puts a timeout at the end of the zero queue (R67, R69). Gives back the event it replaces.
    pub(super) fn start_zero(&mut self, key: Key<Name>, event: Event) -> Option<Event> {
        let replaced = self.cancel(key);
        let slot = self.insert(key, Duration::ZERO, event);
        self.zero.push_back(slot);
        replaced
    }

    /// Gives a running timeout another event (R62). If it does not run, the event comes at once
    /// (R63).
    pub(super) fn update(&mut self, key: Key<Name>, event: Event) -> Option<Event> {
        match self.find(key).and_then(|slot| self.slots[slot].as_mut()) {
            Some(timer) => Some(std::mem::replace(&mut timer.event, event)),
            None => self.start_zero(key, event),
        }
    }

    /// Stops a timeout, if it runs (R64). Gives back its event.
    pub(super) fn cancel(&mut self, key: Key<Name>) -> Option<Event> {
        self.find(key)
            .and_then(|slot| self.remove(slot))
            .map(|timer| timer.event)
    }

    pub(super) fn is_running(&self, key: Key<Name>) -> bool {
        self.find(key).is_some()
    }

    /// Whether a timeout runs that a guard owns.
    #[cfg(feature = "tokio")]
    pub(super) fn has_guarded(&self) -> bool {
        !self.guarded.is_empty()
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_any_running(&self) -> bool {
        !self.zero.is_empty() || !self.heap.is_empty()
    }

    /// Whether a timeout runs that is due without a clock.
    #[cfg(feature = "serde")]
    pub(super) fn is_zero(&self, key: Key<Name>) -> bool {
        self.find(key)
            .and_then(|slot| self.slots[slot].as_ref())
            .is_some_and(|timer| timer.place.is_none())
    }

    pub(super) fn has_zero(&self) -> bool {
        !self.zero.is_empty()
    }

    /// Takes the first timeout of the zero queue.
    pub(super) fn pop_zero(&mut self) -> Option<(Key<Name>, Event)> {
        let slot = *self.zero.front()?;
        self.remove(slot).map(|timer| (timer.key, timer.event))
    }

    /// When the next timer is due; `None` if none will ever be.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let first = self.heap.first()?;
        self.slots[*first]
            .as_ref()
            .map(|timer| timer.deadline)
            .filter(|deadline| *deadline != NEVER)
    }

    /// Collects the instances that are due at `now`, by deadline and start order, behind what is left
    /// of those collected before.
    #[cfg(feature = "tokio")]
    pub(super) fn collect_due(&mut self, now: Duration) {
        let mut due = std::mem::take(&mut self.collected);
        due.clear();
        self.push_due(0, now, &mut due);
        let (before, last) = std::mem::replace(&mut self.collected_to, (now, self.order));
        due.sort_unstable_by_key(|instance| {
            let timer = self.slots[instance.slot].as_ref();
            let deadline = timer.map_or(NEVER, |timer| timer.deadline);
            let is_left = deadline <= before && instance.order <= last;
            Reverse((!is_left, deadline, instance.order))
        });
        self.collected = due;
    }

    /// The instance that was collected and is due first.
    #[cfg(feature = "tokio")]
    pub(super) fn first_collected(&self) -> Option<Instance> {
        self.collected.last().copied()
    }

    #[cfg(feature = "tokio")]
    pub(super) fn pop_collected(&mut self) -> Option<Instance> {
        self.collected.pop()
    }

    /// The instance that is due first at `now`.
    pub(super) fn first_due(&self, now: Duration) -> Option<Instance> {
        let slot = *self.heap.first()?;
        let timer = self.slots[slot]
            .as_ref()
            .filter(|timer| timer.deadline <= now && timer.deadline != NEVER)?;
        Some(Instance {
            slot,
            order: timer.order,
        })
    }

    /// Everything under a timer that is not due is not due either.
    #[cfg(feature = "tokio")]
    fn push_due(&self, place: usize, now: Duration, due: &mut Vec<Instance>) {
        let Some(&slot) = self.heap.get(place) else {
            return;
        };
        let Some(timer) = &self.slots[slot] else {
            return;
        };
        if timer.deadline <= now && timer.deadline != NEVER {
            due.push(Instance {
                slot,
                order: timer.order,
            });
            self.push_due(2 * place + 1, now, due);
            self.push_due(2 * place + 2, now, due);
        }
    }

    #[cfg(feature = "tokio")]
    pub(super) fn is_event_timeout(&self, instance: Instance) -> bool {
        self.event == Some(instance.slot)
    }

    /// Takes the timer if this very instance still runs (R65).
    pub(super) fn take(&mut self, instance: Instance) -> Option<(Key<Name>, Event)> {
        let order = self
            .slots
            .get(instance.slot)?
            .as_ref()
            .map(|timer| timer.order);
        if order != Some(instance.order) {
            return None;
        }
        self.remove(instance.slot)
            .map(|timer| (timer.key, timer.event))
    }

    /// What runs, in the order it will fire: the zero queue, then by deadline. A `None` deadline is
    /// never.
    pub(super) fn running(&self) -> Vec<(Key<Name>, Option<Duration>, &Event)> {
        let zero = self
            .zero
            .iter()
            .filter_map(|slot| self.slots[*slot].as_ref());
        let mut timed: Vec<_> = self
            .heap
            .iter()
            .filter_map(|slot| self.slots[*slot].as_ref())
            .collect();
        timed.sort_unstable_by_key(|timer| (timer.deadline, timer.order));
        zero.chain(timed)
            .map(|timer| {
                (
                    timer.key,
                    Some(timer.deadline).filter(|deadline| *deadline != NEVER),
                    &timer.event,
                )
            })
            .collect()
    }

    /// What the timers would have sent, for a machine that ends: of the zero queue, and of the others
    /// in the order they are due.
    pub(super) fn into_events(mut self) -> [Vec<Event>; 2] {
        let mut others = std::mem::take(&mut self.heap);
        others.sort_unstable_by_key(|slot| {
            let timer = self.slots[*slot].as_ref();
            timer.map(|timer| (timer.deadline, timer.order))
        });
        let zero = std::mem::take(&mut self.zero).into();
        let mut events = |slots: Vec<usize>| {
            let timers = slots.into_iter().filter_map(|slot| self.slots[slot].take());
            timers.map(|timer| timer.event).collect()
        };
        [events(zero), events(others)]
    }

    fn find(&self, key: Key<Name>) -> Option<usize> {
        match key {
            Key::State => self.state,
            Key::Event => self.event,
            Key::Named(name) => self
                .named
                .iter()
                .find(|(running, _)| *running == name)
                .map(|(_, slot)| *slot),
            Key::Guarded(id) => self.guarded.get(&id).copied(),
        }
    }

    fn insert(&mut self, key: Key<Name>, deadline: Duration, event: Event) -> usize {
        self.order += 1;
        let timer = Timer {
            key,
            deadline,
            order: self.order,
            event,
            place: None,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(timer);
            slot
        } else {
            // Most machines run one timer at a time.
            if self.slots.is_empty() {
                self.slots.reserve_exact(1);
            }
            self.slots.push(Some(timer));
            self.slots.len() - 1
        };
        match key {
            Key::State => self.state = Some(slot),
            Key::Event => self.event = Some(slot),
            Key::Named(name) => self.named.push((name, slot)),
            Key::Guarded(id) => {
                self.guarded.insert(id, slot);
            }
        }
        slot
    }

    fn remove(&mut self, slot: usize) -> Option<Timer<Name, Event>> {
        let timer = self.slots[slot].take()?;
        self.free.push(slot);
        match timer.key {
            Key::State => self.state = None,
            Key::Event => self.event = None,
            // By its slot: a comparison of names is foreign code.
            Key::Named(_) => self.named.retain(|(_, running)| *running != slot),
            Key::Guarded(id) => {
                self.guarded.remove(&id);
            }
        }
        match timer.place {
            Some(place) => self.unlink(place),
            None if self.zero.front() == Some(&slot) => drop(self.zero.pop_front()),
            None => self.zero.retain(|waiting| *waiting != slot),
        }
        Some(timer)
    }

    fn push(&mut self, slot: usize) {
        if self.heap.is_empty() {
            self.heap.reserve_exact(1);
        }
        self.heap.push(slot);
        self.set_place(self.heap.len() - 1);
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes a slot out of the heap, whose timer has been taken already.
    fn unlink(&mut self, place: usize) {
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.set_place(place);
            self.sift_up(place);
            self.sift_down(place);
        }
    }

    fn sift_up(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.rank(parent) <= self.rank(place) {
                return;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sift_down(&mut self, mut place: usize) {
        loop {
            let mut first = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.heap.len() && self.rank(child) < self.rank(first) {
                    first = child;
                }
            }
            if first == place {
                return;
            }
            self.swap(place, first);
            place = first;
        }
    }

    fn rank(&self, place: usize) -> (Duration, u64) {
        self.slots[self.heap[place]]
            .as_ref()
            .map_or((NEVER, u64::MAX), |timer| (timer.deadline, timer.order))
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        self.set_place(one);
        self.set_place(other);
    }

    fn set_place(&mut self, place: usize) {
        let slot = self.heap[place];
        if let Some(timer) = &mut self.slots[slot] {
            timer.place = Some(place);
        }
    }
}
