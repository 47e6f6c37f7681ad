//! One event through the machine: the only place where its state changes.
//!
//! The steps carry the numbers of rule N1, which extends the algorithm of OTP's gen_statem by
//! ownership.

use std::any::Any;
use std::mem::{Discriminant, discriminant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::end::Callback;
use super::settle::Fate;
use super::{Clock, ENTER_REPEATS, Engine, is_terminal, name_of};
use crate::call_cell::CallCell;
use crate::context::{EnterCx, Key};
use crate::event::Origin;
use crate::handler::Handler;
use crate::reason::{Bound, ExitReason};
use crate::scope::Transition;
use crate::slot::Slot;
use crate::transition::{Next, Verb};

/// How a transition went.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    /// The handler kept the state, asked for nothing and answered nobody.
    Quiet,
    /// Complete.
    Done,
    /// The machine ends, and its reason is recorded; what was not carried out yet is not (N60).
    End,
}

/// What the handler's `Next` says about the state.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Move {
    Keep,
    Retry,
    Repeat,
    Go,
}

impl<M: Handler> Engine<M> {
    /// Init and the first enter call: one transition without an event (N10, R88).
    pub(super) fn first_transition(
        &mut self,
        init: impl FnOnce(&mut M::Data, &mut EnterCx<M>),
        clock: Clock<'_>,
    ) {
        let mut transition = Transition::begin(self.place());
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.callback = Callback::Init;
            self.enter_cx.previous = place(transition.from);
            if let Some(data) = &mut self.data {
                init(data, &mut self.enter_cx);
            }
            let init = self.stop_asked().map_or(Ok(()), |reason| Err(*reason));
            self.enter_cx.repeat = false;
            let started = init
                .and_then(|()| self.enter(transition.from))
                .and_then(|()| {
                    transition.entered();
                    self.carry_out(Move::Keep, clock)
                });
            self.flow(started)
        }));
        self.finish(transition, result);
    }

    /// One transition for one event (N1).
    pub(super) fn transition(
        &mut self,
        event: M::Event,
        origin: Origin<M::Timeout>,
        call: Option<Arc<dyn CallCell>>,
        retried: bool,
        clock: Clock<'_>,
    ) {
        if let Some(call) = &call {
            // N51: either a handler gets the event or its caller has given up, never both.
            if !call.begin() && !M::KEEP_ABANDONED {
                self.counts.received += u64::from(!retried);
                self.counts.seldom().abandoned += 1;
                #[cfg(feature = "tokio")]
                if self.is_recorded() {
                    self.record_skipped(&event, origin, retried);
                }
                self.drop_event(event);
                return;
            }
        }
        let mut transition = Transition::begin(self.place());
        match catch_unwind(AssertUnwindSafe(|| {
            self.run(event, origin, call, retried, &mut transition, clock)
        })) {
            Ok(Flow::Quiet) => transition.end_without_replies(),
            Ok(flow) => self.conclude(transition, origin, retried, Ok(flow)),
            Err(payload) => self.conclude(transition, origin, retried, Err(payload)),
        }
    }

    /// Another state in place of this one: no event, no enter, no timer touched (N15).
    pub(super) fn replace_state(&mut self, state: M) {
        let transition = Transition::begin(self.place());
        let from = transition.from;
        let result = catch_unwind(AssertUnwindSafe(|| {
            let left = self.state.replace(state);
            let another = self.place() != from;
            let sources = if another {
                self.drop_state_sources()
            } else {
                Ok(())
            };
            let state = self.drop_value(Callback::DropState, left);
            let replaced = sources.and(state).and_then(|()| self.release());
            self.flow(replaced)
        }));
        self.finish(transition, result);
    }

    /// What is left of a transition that was not quiet.
    #[inline(never)]
    fn conclude(
        &mut self,
        transition: Transition,
        origin: Origin<M::Timeout>,
        retried: bool,
        result: Result<Flow, Box<dyn Any + Send>>,
    ) {
        self.counts.handled += 1;
        if !retried && origin != Origin::Inserted {
            self.counts.received += 1;
        }
        if matches!(result, Ok(Flow::End) | Err(_)) {
            self.ended_by_event = true;
            if self.fate != Fate::Settled {
                self.counts.consumed += 1;
            }
        }
        #[cfg(feature = "tokio")]
        let from = transition.from;
        self.finish(transition, result);
        #[cfg(feature = "tokio")]
        if self.is_recorded() {
            self.record_outcome(origin, retried, from);
        }
    }

    fn run(
        &mut self,
        event: M::Event,
        origin: Origin<M::Timeout>,
        call: Option<Arc<dyn CallCell>>,
        retried: bool,
        transition: &mut Transition,
        clock: Clock<'_>,
    ) -> Flow {
        if self.careful {
            if let Some(list) = self.enter_cx.cx.actions.released() {
                list.begin(transition.stamp);
            }
            #[cfg(feature = "tokio")]
            if self.is_recorded() {
                self.record_event(&event);
            }
        }
        let Some(data) = &mut self.data else {
            return Flow::Quiet;
        };
        self.callback = Callback::Handle;
        self.fate = Fate::Open;
        self.enter_cx.cx.origin = origin;
        self.enter_cx.cx.call = call;
        let variant = if cfg!(debug_assertions) {
            Some(discriminant(&event))
        } else {
            None
        };
        // 1. The handler.
        let next = M::handle(
            M::view(Slot::new(&mut self.state)),
            event,
            data,
            &mut self.enter_cx.cx,
        );
        let idle = !self.enter_cx.cx.actions.any
            && !matches!(origin, Origin::Source(_))
            && (!self.careful || self.owes_nothing());
        if idle
            && matches!(next.verb, Verb::Keep)
            && next.stamp == transition.stamp
            && self.state.is_some()
        {
            self.enter_cx.cx.call = None;
            if !transition.has_replies() && !retried && !matches!(origin, Origin::Inserted) {
                self.counts.quiet += 1;
                return Flow::Quiet;
            }
            self.counts.consumed += 1;
            transition.entered();
            return Flow::Done;
        }
        let applied = self.apply(next, variant, retried, transition, clock);
        self.flow(applied)
    }

    /// Records the reason of an end.
    fn flow(&mut self, result: Result<(), ExitReason>) -> Flow {
        match result {
            Ok(()) => Flow::Done,
            Err(reason) => {
                self.end = Some(Box::new(reason));
                Flow::End
            }
        }
    }

    /// Steps 2 to 9. An error is the reason of the machine's end.
    #[inline(never)]
    fn apply(
        &mut self,
        next: Next<M>,
        variant: Option<Discriminant<M::Event>>,
        retried: bool,
        transition: &mut Transition,
        clock: Clock<'_>,
    ) -> Result<(), ExitReason> {
        let from = transition.from;
        // 2. A `Next` of another transition, or a state taken out and not replaced (N12).
        let lost = ExitReason::StateLost {
            from: name_of::<M>(from),
        };
        if next.stamp != transition.stamp {
            self.drop_value(Callback::DropState, next)?;
            return Err(lost);
        }
        let (moves, target) = match next.verb {
            Verb::Keep => (Move::Keep, None),
            Verb::Retry => (Move::Retry, None),
            Verb::Repeat => (Move::Repeat, None),
            Verb::Go(target) => (Move::Go, Some(target)),
            Verb::Postpone(event) => {
                self.enter_cx.cx.postpone(event);
                (Move::Keep, None)
            }
            Verb::Unexpected(event) => {
                self.unexpected(event, from)?;
                (Move::Keep, None)
            }
            Verb::Stop(reason) => return Err(*reason),
        };
        if target.is_none() && self.state.is_none() {
            return Err(lost);
        }
        // 3. The target becomes the state; what belonged to the old one is dropped.
        let left = if target.is_some() {
            std::mem::replace(&mut self.state, target)
        } else {
            None
        };
        #[cfg(feature = "test-util")]
        self.note_move(moves, from);
        if matches!(moves, Move::Go | Move::Repeat) {
            let sources = self.drop_state_sources();
            let state = self.drop_value(Callback::DropState, left);
            sources.and(state)?;
        }
        self.release()?;
        transition.entered();
        // 4. The enter call.
        if matches!(moves, Move::Go | Move::Repeat) {
            self.enter(from)?;
        }
        // 6. The event.
        self.settle_event(moves, variant, retried, clock)?;
        self.carry_out(moves, clock)
    }

    /// Ends the transition: its effects become visible, or the machine ends.
    #[inline(never)]
    fn finish(&mut self, transition: Transition, result: Result<Flow, Box<dyn Any + Send>>) {
        let (machine, from) = (M::GRAPH.name, transition.from);
        match result {
            Ok(Flow::Quiet) => transition.end_without_replies(),
            Ok(Flow::Done) => {
                let to = self.state.as_ref().map_or(from, M::index);
                // 10. The published state, before 11: the replies.
                #[cfg(feature = "tokio")]
                if let Some(published) = &self.published {
                    published.set(to);
                }
                self.counts.replied +=
                    transition.end(machine, name_of::<M>(from), name_of::<M>(to));
                // N16.
                if is_terminal::<M>(to) {
                    self.end = Some(Box::new(ExitReason::Normal));
                }
            }
            Ok(Flow::End) => {
                if let Some(reason) = &self.end {
                    self.counts.replied += transition.abort(machine, reason);
                }
            }
            Err(payload) => {
                // Inside a `go_with` there is no state to name.
                let state = if self.state.is_some() {
                    self.state_name()
                } else {
                    name_of::<M>(from)
                };
                let reason = self.panicked_in(state, &*payload);
                // A payload is a user's value: its drop may panic too, and nothing is owed to it.
                std::mem::forget(payload);
                self.counts.replied += transition.abort(machine, &reason);
                self.end = Some(Box::new(reason));
            }
        }
    }

    /// The enter call, again while it says `repeat` (R73, R77).
    fn enter(&mut self, from: usize) -> Result<(), ExitReason> {
        let entered = self.state.as_ref().map_or(from, M::index);
        self.enter_cx.previous = place(from);
        for _ in 0..=ENTER_REPEATS {
            let asked = if self.enter_cx.cx.actions.any {
                self.enter_cx.cx.actions.requests().sources.len()
            } else {
                0
            };
            self.callback = Callback::Enter;
            if let (Some(state), Some(data)) = (&mut self.state, &mut self.data) {
                state.enter(data, &mut self.enter_cx);
            }
            if self.state.as_ref().map(M::index) != Some(entered) {
                return Err(ExitReason::StateLost {
                    from: name_of::<M>(entered),
                });
            }
            if let Some(reason) = self.stop_asked() {
                return Err(*reason);
            }
            if !std::mem::take(&mut self.enter_cx.repeat) {
                return Ok(());
            }
            // N6: the sources of the call that is repeated never start.
            if self.enter_cx.cx.actions.any {
                while self.enter_cx.cx.actions.requests().sources.len() > asked {
                    let unstarted = self.enter_cx.cx.actions.requests().sources.pop();
                    self.drop_value(Callback::DropSource, unstarted)?;
                }
            }
        }
        Err(ExitReason::Overflow {
            what: Bound::EnterRepeats,
        })
    }

    /// What init or enter stops the machine with.
    fn stop_asked(&mut self) -> Option<Box<ExitReason>> {
        let actions = &mut self.enter_cx.cx.actions;
        if actions.any {
            actions.requests().stop.take()
        } else {
            None
        }
    }

    /// Guards that were dropped outside of a transition, on another thread or by a source.
    pub(super) fn sweep(&mut self) {
        let transition = Transition::begin(self.place());
        let result = catch_unwind(AssertUnwindSafe(|| {
            let released = self.release();
            self.flow(released)
        }));
        if let Ok(Flow::Done) = result {
            let state = name_of::<M>(transition.from);
            self.counts.replied += transition.end(M::GRAPH.name, state, state);
        } else {
            self.finish(transition, result);
        }
    }
}

/// A place in the graph, in four bytes: no machine has that many states.
fn place(state: usize) -> u32 {
    state.try_into().unwrap_or(u32::MAX)
}

pub(super) fn origin<Name>(key: Key<Name>) -> Origin<Name> {
    match key {
        Key::State => Origin::StateTimeout,
        Key::Event => Origin::EventTimeout,
        Key::Named(name) => Origin::Timeout(name),
        Key::Guarded(id) => Origin::Timer(id),
    }
}
