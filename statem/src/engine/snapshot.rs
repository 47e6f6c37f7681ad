//! A machine written down, and started again from what was written (N74, N75).

use std::time::Duration;

use super::queue::Entry;
use super::timers::Timers;
use super::{Engine, INSERTED, Limits, POSTPONED};
use crate::context::Key;
use crate::event::{Origin, TimerId};
use crate::handler::Handler;
use crate::machine::Machine;
use crate::snapshot::{
    LeftOut, Remaining, Saved, SavedEvent, SavedOrigin, SavedTimeout, Saving, Snapshot, Which,
};

impl<M: Machine> Engine<M> {
    /// Lends what is to be written of the machine, as it is at `now` (N74). It is not disturbed.
    ///
    /// Call it at rest, when [`Engine::advance`] has said `false`: events in the queue are left out.
    /// `None` when the machine has ended or lost its state (N12).
    #[must_use]
    pub fn snapshot(&self, now: Duration) -> Option<Saving<'_, M>> {
        let mut left_out = LeftOut {
            sources: self
                .sources
                .as_ref()
                .map_or(0, |sources| sources.running().count()),
            queued: self.queues.waiting().count(),
            ..LeftOut::default()
        };
        let running = self.timers.as_ref();
        let mut timeouts = Vec::new();
        for (key, deadline, event) in running.map_or_else(Vec::new, |timers| timers.running()) {
            let Some(which) = which(key) else {
                left_out.event_timeout = true;
                continue;
            };
            let is_zero = running.is_some_and(|timers| timers.is_zero(key));
            let remaining = match deadline {
                _ if is_zero => Remaining::Zero,
                Some(deadline) => Remaining::Time(deadline.saturating_sub(now)),
                None => Remaining::Never,
            };
            timeouts.push(SavedTimeout {
                which,
                remaining,
                event,
            });
        }
        let mut postponed = Vec::new();
        for Entry { event, origin, .. } in self.queues.postponed() {
            let origin = match *origin {
                Origin::Call => {
                    left_out.calls += 1;
                    continue;
                }
                Origin::Source(_) => {
                    left_out.outputs += 1;
                    continue;
                }
                Origin::Cast => SavedOrigin::Cast,
                Origin::Inserted => SavedOrigin::Inserted,
                Origin::EventTimeout => SavedOrigin::EventTimeout,
                Origin::StateTimeout => SavedOrigin::Timeout(Which::State),
                Origin::Timeout(name) => SavedOrigin::Timeout(Which::Named(name)),
                Origin::Timer(id) => SavedOrigin::Timeout(Which::Timer(id.0)),
            };
            postponed.push(SavedEvent { origin, event });
        }
        let saved = Saved {
            state: self.state.as_ref()?,
            data: self.data.as_ref()?,
            timeouts,
            postponed,
            left_out,
        };
        self.end.is_none().then_some(Saving { saved })
    }
}

impl<M: Handler> Engine<M> {
    /// A machine from a snapshot, not started (N75). Its timeouts count from zero, which is where
    /// its clock is expected to be at its [`start`](Engine::start); those that are due already wait
    /// for [`Engine::fire`].
    pub fn restore(snapshot: Snapshot<M>) -> Self {
        Self::restore_with_limits(snapshot, Limits::new(POSTPONED, INSERTED))
    }

    pub(crate) fn restore_with_limits(snapshot: Snapshot<M>, limits: Limits) -> Self {
        let Snapshot { saved, owners } = snapshot;
        let mut engine = Self::with_limits(saved.state, saved.data, limits);
        let has_owner = |key: &Key<M::Timeout>| match key {
            Key::Guarded(id) => owners.numbers.contains(&id.0),
            _ => true,
        };
        let mut timers = Timers::new();
        for timeout in saved.timeouts {
            let key = key(timeout.which);
            if !has_owner(&key) {
                continue;
            }
            let replaced = match timeout.remaining {
                Remaining::Zero => timers.start_zero(key, timeout.event),
                Remaining::Time(remaining) => timers.start(key, Some(remaining), timeout.event),
                Remaining::Never => timers.start(key, None, timeout.event),
            };
            drop(replaced);
        }
        if timers.is_any_running() {
            engine.timers = Some(Box::new(timers));
        }
        for SavedEvent { origin, event } in saved.postponed {
            let origin = match origin {
                SavedOrigin::Cast => Origin::Cast,
                SavedOrigin::Inserted => Origin::Inserted,
                SavedOrigin::EventTimeout => Origin::EventTimeout,
                SavedOrigin::Timeout(which) => {
                    let key = key(which);
                    if !has_owner(&key) {
                        continue;
                    }
                    super::step::origin(key)
                }
            };
            // Counted as if it had come now, so that the sum holds (N48).
            engine.counts.received += 1;
            engine.queues.restore(Entry {
                event,
                origin,
                call: None,
                retried: true,
            });
        }
        if let Some(list) = owners.list {
            let last = owners.numbers.last().copied().unwrap_or_default();
            engine.enter_cx.cx.actions.requests().adopt(list, last);
            engine.careful = engine.is_careful();
        }
        engine
    }
}

/// `None` for the event timeout, which is not saved.
fn which<Name>(key: Key<Name>) -> Option<Which<Name>> {
    match key {
        Key::State => Some(Which::State),
        Key::Event => None,
        Key::Named(name) => Some(Which::Named(name)),
        Key::Guarded(id) => Some(Which::Timer(id.0)),
    }
}

fn key<Name>(which: Which<Name>) -> Key<Name> {
    match which {
        Which::State => Key::State,
        Which::Named(name) => Key::Named(name),
        Which::Timer(number) => Key::Guarded(TimerId(number)),
    }
}
