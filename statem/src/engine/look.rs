//! What there is to see of an engine.

#[cfg(feature = "test-util")]
use std::any::type_name;
use std::fmt;
use std::time::Duration;

#[cfg(feature = "test-util")]
use super::Move;
use super::{Engine, name_of, step};
use crate::counts::Counts;
#[cfg(feature = "test-util")]
use crate::coverage;
use crate::event::Origin;
use crate::machine::Machine;
use crate::reason::ExitReason;

/// A timeout that runs, as [`Engine::timeouts`] shows it.
#[non_exhaustive]
pub struct RunningTimeout<'a, M: Machine> {
    /// Which timeout: the origin its event will have.
    pub origin: Origin<M::Timeout>,
    /// When it fires, in time since the start of the machine; `None` is never (N25).
    pub deadline: Option<Duration>,
    /// What it will send.
    pub event: &'a M::Event,
}

impl<M: Machine> Engine<M> {
    /// The state. `None` when the machine has ended or lost it (N12).
    #[must_use]
    pub fn state(&self) -> Option<&M> {
        self.state.as_ref()
    }

    /// The place of the state in the graph.
    pub(super) fn place(&self) -> usize {
        self.state.as_ref().map_or(0, M::index)
    }

    /// The name of the state; empty if there is none.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        self.state
            .as_ref()
            .map_or("", |state| name_of::<M>(state.index()))
    }

    /// The data. `None` when the machine has ended.
    #[must_use]
    pub fn data(&self) -> Option<&M::Data> {
        self.data.as_ref()
    }

    /// The data, to set a scene with.
    pub fn data_mut(&mut self) -> Option<&mut M::Data> {
        self.data.as_mut()
    }

    /// Why the machine ended, if it has.
    #[must_use]
    pub fn stopped(&self) -> Option<&ExitReason> {
        self.end.as_deref()
    }

    /// Whether [`Engine::advance`] has something to handle.
    #[must_use]
    #[inline]
    pub fn has_queued(&self) -> bool {
        self.queues.has_waiting() || self.timers.as_ref().is_some_and(|timers| timers.has_zero())
    }

    /// The events that wait in the queue, the next one first.
    pub fn queued(&self) -> impl Iterator<Item = &M::Event> + '_ {
        self.queues.waiting().map(|entry| &entry.event)
    }

    /// The postponed events, oldest first.
    pub fn postponed(&self) -> impl Iterator<Item = &M::Event> + '_ {
        self.queues.postponed().map(|entry| &entry.event)
    }

    /// The timeouts that run: zero ones, then in the order they are due.
    #[must_use]
    pub fn timeouts(&self) -> Vec<RunningTimeout<'_, M>> {
        let running = self
            .timers
            .as_ref()
            .map_or_else(Vec::new, |timers| timers.running());
        let show = |(key, deadline, event)| RunningTimeout {
            origin: step::origin(key),
            deadline,
            event,
        };
        running.into_iter().map(show).collect()
    }

    /// How often things happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.counts(self.queues.postponements())
    }
}

impl<M: Machine> fmt::Debug for Engine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("machine", &M::GRAPH.name)
            .field("state", &self.state_name())
            .field("stopped", &self.end)
            .finish_non_exhaustive()
    }
}

impl<M: Machine> fmt::Debug for RunningTimeout<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningTimeout")
            .field("origin", &self.origin)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What a test looks at afterwards.
#[cfg(feature = "test-util")]
impl<M: Machine> Engine<M> {
    /// The state has become what the handler's `Next` says, by a move from this place.
    pub(super) fn note_move(&mut self, moves: Move, from: usize) {
        let to = self.place();
        self.moved = Some((moves, to));
        if moves == Move::Go {
            coverage::took(type_name::<M>(), from, to);
        }
    }

    /// Where the last event came from.
    pub(crate) fn origin(&self) -> Origin<M::Timeout> {
        self.enter_cx.cx.origin
    }

    /// The last move, and the place of the state after it. A handler that only kept the state need
    /// not have left one.
    pub(crate) fn moved(&self) -> Option<(Move, usize)> {
        self.moved
    }
}
