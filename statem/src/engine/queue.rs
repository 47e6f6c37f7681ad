//! The queue Q and the postponed events P (R11–R33).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::call_cell::CallCell;
use crate::event::Origin;
use crate::reply;

/// An event in a queue.
pub(super) struct Entry<Name, Event> {
    pub(super) event: Event,
    pub(super) origin: Origin<Name>,
    /// The call it belongs to.
    pub(super) call: Option<Arc<dyn CallCell>>,
    /// Whether a handler has had it before.
    pub(super) retried: bool,
}

/// Made by the first event that waits: a machine whose events are handled as they come has none.
pub(super) struct Queues<Name, Event>(Option<Box<Both<Name, Event>>>);

struct Both<Name, Event> {
    /// Events received or inserted and not yet handled.
    waiting: VecDeque<Entry<Name, Event>>,
    /// Events that a handler gave back, oldest first (R24).
    postponed: VecDeque<Entry<Name, Event>>,
    /// How often an event was postponed (N48).
    postponements: u64,
    /// Inserted events in `waiting` that no handler has had (N31).
    inserted: usize,
    /// Outputs of sources in both (N36): zero is the common case and saves a search.
    outputs: usize,
    /// When a refused cast was last warned of (N45).
    warned: Option<Duration>,
    /// How many callers had ever gone when all postponed calls were found to have theirs (N53).
    awaited: Option<usize>,
}

impl<Name, Event> Queues<Name, Event> {
    pub(super) fn new() -> Self {
        Queues(None)
    }

    pub(super) fn has_waiting(&self) -> bool {
        self.0.as_ref().is_some_and(|both| !both.waiting.is_empty())
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Entry<Name, Event>> {
        self.0.iter().flat_map(|both| &both.waiting)
    }

    pub(super) fn postponed(&self) -> impl Iterator<Item = &Entry<Name, Event>> {
        self.0.iter().flat_map(|both| &both.postponed)
    }

    pub(super) fn postponed_len(&self) -> usize {
        self.0.as_ref().map_or(0, |both| both.postponed.len())
    }

    /// How often an event was postponed.
    pub(super) fn postponements(&self) -> u64 {
        self.0.as_ref().map_or(0, |both| both.postponements)
    }

    /// Inserted events that wait and that no handler has had.
    pub(super) fn inserted(&self) -> usize {
        self.0.as_ref().map_or(0, |both| both.inserted)
    }

    /// Outputs of sources that wait or are postponed.
    pub(super) fn outputs(&self) -> usize {
        self.0.as_ref().map_or(0, |both| both.outputs)
    }

    /// Whether a refused cast is to be warned of: at most once a second.
    pub(super) fn may_warn(&mut self, now: Duration) -> bool {
        let warned = &mut self.both().warned;
        let may = warned.is_none_or(|warned| now.saturating_sub(warned) >= Duration::from_secs(1));
        if may {
            *warned = Some(now);
        }
        may
    }

    pub(super) fn pop(&mut self) -> Option<Entry<Name, Event>> {
        let both = self.0.as_mut()?;
        let entry = both.waiting.pop_front()?;
        both.removed(&entry);
        Some(entry)
    }

    pub(super) fn pop_postponed(&mut self) -> Option<Entry<Name, Event>> {
        self.0.as_mut()?.postponed.pop_front()
    }

    /// Adds to the postponed events; the caller has looked at the bound.
    pub(super) fn postpone(&mut self, mut entry: Entry<Name, Event>) {
        let both = self.both();
        entry.retried = true;
        if matches!(entry.origin, Origin::Source(_) | Origin::Timer(_)) {
            both.outputs += 1;
        }
        both.postponements += 1;
        both.awaited = None;
        both.postponed.push_back(entry);
    }

    /// Adds an event that was postponed in another life of the machine.
    #[cfg(feature = "serde")]
    pub(super) fn restore(&mut self, entry: Entry<Name, Event>) {
        self.postpone(entry);
        // It was counted in that one.
        self.both().postponements -= 1;
    }

    /// Puts all postponed events in front of the waiting ones, oldest first (R12, R13).
    pub(super) fn retry(&mut self) {
        let Some(both) = &mut self.0 else { return };
        if both.waiting.is_empty() {
            std::mem::swap(&mut both.waiting, &mut both.postponed);
        } else {
            while let Some(entry) = both.postponed.pop_back() {
                both.waiting.push_front(entry);
            }
        }
    }

    /// Puts inserted events in front of everything, the first one first (R12, R14).
    pub(super) fn insert(&mut self, events: &mut Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let both = self.both();
        both.inserted += events.len();
        while let Some(event) = events.pop() {
            both.waiting.push_front(Entry {
                event,
                origin: Origin::Inserted,
                call: None,
                retried: false,
            });
        }
    }

    /// Takes out all events that `gone` holds of, in their order and postponed ones last; true
    /// beside an event if it was postponed.
    pub(super) fn extract(
        &mut self,
        gone: impl Fn(&Entry<Name, Event>) -> bool,
    ) -> Vec<(Entry<Name, Event>, bool)> {
        let mut extracted = Vec::new();
        let Some(both) = &mut self.0 else {
            return extracted;
        };
        for (queue, postponed) in [(&mut both.waiting, false), (&mut both.postponed, true)] {
            if !queue.iter().any(&gone) {
                continue;
            }
            // Once around: the order stays, and no event is moved twice.
            for _ in 0..queue.len() {
                if let Some(entry) = queue.pop_front() {
                    if gone(&entry) {
                        extracted.push((entry, postponed));
                    } else {
                        queue.push_back(entry);
                    }
                }
            }
        }
        for (entry, _) in &extracted {
            both.removed(entry);
        }
        extracted
    }

    /// Takes out the calls whose callers have gone (N53). Nothing is looked through again as long
    /// as that would find nothing.
    pub(super) fn extract_abandoned(&mut self) -> Vec<(Entry<Name, Event>, bool)> {
        let gone = reply::callers_gone();
        let both = self.both();
        if both.awaited == Some(gone) {
            return Vec::new();
        }
        both.awaited = Some(gone);
        self.extract(|entry| entry.call.as_ref().is_some_and(|call| call.is_gone()))
    }

    fn both(&mut self) -> &mut Both<Name, Event> {
        self.0.get_or_insert_with(|| {
            Box::new(Both {
                waiting: VecDeque::new(),
                postponed: VecDeque::new(),
                postponements: 0,
                inserted: 0,
                outputs: 0,
                warned: None,
                awaited: None,
            })
        })
    }
}

impl<Name, Event> Both<Name, Event> {
    /// An entry has been taken out.
    fn removed(&mut self, entry: &Entry<Name, Event>) {
        match entry.origin {
            Origin::Inserted if !entry.retried => self.inserted -= 1,
            Origin::Source(_) | Origin::Timer(_) => self.outputs -= 1,
            _ => {}
        }
    }
}
