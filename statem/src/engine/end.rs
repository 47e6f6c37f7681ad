//! The end of a machine: its order (N61), and what a panic means (N65).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::queue::Entry;
use crate::handler::Handler;
use crate::machine::Machine;
use crate::reason::{ExitReason, message};
use crate::scope::{Transition, drop_at_end};

/// What the machine runs, for the reason of a panic.
#[derive(Clone, Copy)]
pub(super) enum Callback {
    Init,
    Enter,
    Handle,
    Refused,
    Terminate,
    DropState,
    DropEvent,
    DropSource,
}

impl<M: Handler> Engine<M> {
    /// Carries out the end, if the machine has ended and nobody else does.
    #[inline]
    pub(super) fn finish_end(&mut self) {
        if self.end.is_some() {
            self.end_by_itself();
        }
    }

    #[cold]
    fn end_by_itself(&mut self) {
        if !self.ends_by_hand && self.data.is_some() {
            self.terminate();
            self.take_apart();
            self.drop_data();
        }
    }

    /// Step 3: the machine is told, with its sources still alive.
    pub(crate) fn terminate(&mut self) {
        let Some(reason) = self.end.clone() else {
            return;
        };
        let from = self.place();
        let Some(data) = self.data.as_mut() else {
            return;
        };
        let transition = Transition::begin(from);
        let state = self.state.as_mut();
        let result = catch_unwind(AssertUnwindSafe(|| M::terminate(&reason, state, data)));
        self.counts.replied += transition.abort(M::GRAPH.name, &reason);
        if let Err(payload) = result {
            self.callback = Callback::Terminate;
            self.end = Some(Box::new(self.panicked(&*payload)));
            std::mem::forget(payload);
        }
    }
}

/// A replacement from outside (R126).
#[cfg(feature = "tokio")]
impl<M: Machine> Engine<M> {
    /// What a foreign function makes of state and data, or what its panic said. `None` if there is
    /// nothing to replace.
    pub(crate) fn replacement<T>(
        &mut self,
        replacing: impl FnOnce(&M, &mut M::Data) -> T,
    ) -> Option<Result<T, std::sync::Arc<str>>> {
        let (state, data) = (self.state.as_ref()?, self.data.as_mut()?);
        let made = catch_unwind(AssertUnwindSafe(|| replacing(state, data)));
        Some(made.map_err(|payload| {
            let text = message(&*payload);
            std::mem::forget(payload);
            text
        }))
    }
}

/// What is dropped, each value under its own catch.
impl<M: Machine> Engine<M> {
    /// Steps 5 to 7: sources, newest first; the state; what waits, oldest first; timers.
    pub(crate) fn take_apart(&mut self) {
        let Some(reason) = self.end.clone() else {
            return;
        };
        let machine = M::GRAPH.name;
        while let Some(id) = self.sources.as_ref().and_then(|sources| sources.newest()) {
            let source = self.sources.as_mut().and_then(|sources| sources.remove(id));
            drop_at_end(machine, &reason, source);
        }
        let state = self.state.take();
        drop_at_end(machine, &reason, state);
        let waiting = self.queues.waiting().count() + self.queues.postponed_len();
        if waiting > 0 {
            self.counts.seldom().dropped_at_end += waiting as u64;
        }
        while let Some(entry) = self.queues.pop() {
            release_kept::<M>(&entry);
            drop_at_end(machine, &reason, entry);
        }
        let timers = self.timers.take().map(|timers| timers.into_events());
        let [zero, timed] = timers.unwrap_or_default();
        for event in zero {
            drop_at_end(machine, &reason, event);
        }
        while let Some(entry) = self.queues.pop_postponed() {
            release_kept::<M>(&entry);
            drop_at_end(machine, &reason, entry);
        }
        for event in timed {
            drop_at_end(machine, &reason, event);
        }
        self.discard_requests(&reason);
    }

    /// Step 8.
    pub(crate) fn drop_data(&mut self) {
        let Some(reason) = self.end.clone() else {
            return;
        };
        let data = self.data.take();
        drop_at_end(M::GRAPH.name, &reason, data);
    }

    /// Drops what a machine that ends had asked for and did not get (N60).
    fn discard_requests(&mut self, reason: &ExitReason) {
        drop_at_end(
            M::GRAPH.name,
            reason,
            std::mem::take(&mut self.enter_cx.cx.actions),
        );
        self.enter_cx.cx.call = None;
    }

    /// Drops an event outside of a transition's steps; a panic in its `Drop` ends the machine.
    pub(super) fn drop_event(&mut self, event: M::Event) {
        if let Err(reason) = self.drop_value(Callback::DropEvent, event) {
            self.end.get_or_insert_with(|| Box::new(reason));
        }
    }

    /// Drops a user's value under a catch of its own, so that a panic in it never meets another
    /// (N65).
    pub(super) fn drop_value<T>(&mut self, callback: Callback, value: T) -> Result<(), ExitReason> {
        if !std::mem::needs_drop::<T>() {
            return Ok(());
        }
        match catch_unwind(AssertUnwindSafe(|| drop(value))) {
            Ok(()) => Ok(()),
            Err(payload) => {
                self.callback = callback;
                let reason = self.panicked(&*payload);
                std::mem::forget(payload);
                Err(reason)
            }
        }
    }

    pub(super) fn panicked(&self, payload: &(dyn Any + Send)) -> ExitReason {
        let state = match self.end.as_deref() {
            // Terminate may run without a state.
            Some(ExitReason::StateLost { from: state } | ExitReason::Panicked { state, .. }) => {
                state
            }
            _ => self.state_name(),
        };
        self.panicked_in(state, payload)
    }

    pub(super) fn panicked_in(
        &self,
        state: &'static str,
        payload: &(dyn Any + Send),
    ) -> ExitReason {
        let callback = match self.callback {
            Callback::Init => "init",
            Callback::Enter => "enter",
            Callback::Handle => "handle",
            Callback::Refused => "refused",
            Callback::Terminate => "terminate",
            Callback::DropState => "the drop of a state",
            Callback::DropEvent => "the drop of an event",
            Callback::DropSource => "the drop of a source",
        };
        ExitReason::Panicked {
            message: message(payload),
            callback,
            state,
        }
    }
}

/// A call that was given back and will not be handled any more has not run; that of a machine that
/// keeps abandoned requests was not released before, for it would have been (N51).
fn release_kept<M: Machine>(entry: &Entry<M::Timeout, M::Event>) {
    if let Some(call) = entry.call.as_ref().filter(|_| M::KEEP_ABANDONED) {
        call.release();
    }
}

impl<M: Machine> Drop for Engine<M> {
    fn drop(&mut self) {
        // An engine that is dropped running tells its callers so; its machine is not called any
        // more.
        if self.data.is_some() {
            if self.end.is_none() {
                self.end = Some(Box::new(ExitReason::Aborted));
            }
            self.take_apart();
            self.drop_data();
        }
    }
}
