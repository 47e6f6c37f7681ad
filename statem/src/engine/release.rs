//! What goes with its owner: sources and timers whose guard was dropped or whose state is left,
//! with their events (P3).

#[cfg(feature = "tokio")]
use std::task::Waker;

use super::Engine;
use super::end::Callback;
use super::settle::Fate;
use crate::context::Key;
use crate::event::Origin;
use crate::guard::Released;
use crate::machine::Machine;
use crate::reason::ExitReason;
use crate::trace::warning;

impl<M: Machine> Engine<M> {
    /// Drops what the dropped guards owned, with its outputs (N36, N37).
    pub(super) fn release(&mut self) -> Result<(), ExitReason> {
        let list = self.enter_cx.cx.actions.released();
        let Some(list) = list.filter(|list| list.has_any()).cloned() else {
            return Ok(());
        };
        let mut result = Ok(());
        while list.has_any() {
            let Some(released) = list.pop() else { break };
            match released {
                Released::Source(id) => {
                    let removed = self.sources.as_mut().and_then(|sources| sources.remove(id));
                    if let Some((source, has_outputs)) = removed {
                        result = result.and(self.drop_value(Callback::DropSource, source));
                        if has_outputs {
                            result = result.and(self.discard(Origin::Source(id)));
                        }
                    }
                }
                Released::Timer(id) => {
                    // One that runs has given no event yet.
                    let dropped = match self.cancel_timeout(Key::Guarded(id)) {
                        Some(event) => self.drop_value(Callback::DropEvent, event),
                        None => self.discard(Origin::Timer(id)),
                    };
                    result = result.and(dropped);
                }
            }
        }
        result
    }

    /// The sources of the state that is left, newest first, with their outputs.
    pub(super) fn drop_state_sources(&mut self) -> Result<(), ExitReason> {
        let mut result = Ok(());
        let Some(sources) = &self.sources else {
            return result;
        };
        for id in sources.of_state() {
            let removed = self.sources.as_mut().and_then(|sources| sources.remove(id));
            let Some((source, has_outputs)) = removed else {
                continue;
            };
            result = result.and(self.drop_value(Callback::DropSource, source));
            if has_outputs {
                result = result.and(self.discard(Origin::Source(id)));
            }
        }
        result
    }

    /// Drops the waiting and postponed outputs of a source that is gone (N36).
    fn discard(&mut self, origin: Origin<M::Timeout>) -> Result<(), ExitReason> {
        if self.fate == Fate::Open && self.enter_cx.cx.origin == origin {
            self.fate = Fate::Orphaned;
        }
        let mut result = Ok(());
        if self.queues.outputs() == 0 {
            return result;
        }
        for (entry, postponed) in self.queues.extract(|entry| entry.origin == origin) {
            self.count_discarded(postponed);
            result = result.and(self.drop_value(Callback::DropEvent, entry.event));
        }
        result
    }

    pub(super) fn count_discarded(&mut self, postponed: bool) {
        self.counts.seldom().discarded += 1;
        if postponed && !std::mem::replace(&mut self.warned.discarded, true) {
            warning!(
                machine = M::GRAPH.name,
                state = self.state_name(),
                "an output was postponed, then its source was dropped; hold the guard longer"
            );
        }
    }

    /// The driver is about to sleep, and is to be woken when a timer is dropped elsewhere; a guard of a
    /// source wakes that. False if there is something to see to.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn park_timers(&self, waker: &Waker) -> bool {
        let timers = self.timers.as_ref().filter(|timers| timers.has_guarded());
        let list = timers.and_then(|_| self.enter_cx.cx.actions.released());
        list.is_none_or(|list| list.park(waker))
    }

    pub(super) fn cancel_timeout(&mut self, key: Key<M::Timeout>) -> Option<M::Event> {
        self.timers.as_mut().and_then(|timers| timers.cancel(key))
    }
}
