//! What becomes of an event: it was consumed, it waits to be handled again, or there is no room for
//! it.

use std::mem::{Discriminant, discriminant};

use super::end::Callback;
use super::queue::Entry;
use super::step::Move;
use super::{Clock, Engine, name_of};
use crate::call_cell::Failure;
use crate::event::Origin;
use crate::handler::Handler;
use crate::machine::Unexpected;
use crate::reason::{Bound, ExitReason};
use crate::scope;
use crate::trace::warning;

/// What has become of the event being handled.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fate {
    /// Its handler has it.
    Open,
    /// Its handler has it, and its source or timer was dropped meanwhile: it cannot be postponed
    /// any more (N36).
    Orphaned,
    /// It was consumed, postponed or refused, and counted.
    Settled,
}

impl<M: Handler> Engine<M> {
    /// Step 6: the event joins the postponed ones, or has been consumed.
    pub(super) fn settle_event(
        &mut self,
        moves: Move,
        variant: Option<Discriminant<M::Event>>,
        retried: bool,
        clock: Clock<'_>,
    ) -> Result<(), ExitReason> {
        let call = self.enter_cx.cx.call.take();
        let origin = self.enter_cx.cx.origin;
        let postponed = if self.enter_cx.cx.actions.any {
            self.enter_cx.cx.actions.requests().postponed.take()
        } else {
            None
        };
        let fate = std::mem::replace(&mut self.fate, Fate::Settled);
        let Some(event) = postponed else {
            self.counts.consumed += 1;
            if let Origin::Source(source) = origin {
                if let Some(sources) = &mut self.sources {
                    sources.consumed(source);
                }
            }
            return Ok(());
        };
        debug_assert!(
            variant.is_none_or(|variant| variant == discriminant(&event)),
            "an event of another variant was postponed than the one being handled"
        );
        if fate == Fate::Orphaned {
            self.count_discarded(true);
            return self.drop_value(Callback::DropEvent, event);
        }
        let entry = Entry {
            event,
            origin,
            call,
            retried,
        };
        if self.queues.postponed_len() >= self.limits.postponed as usize
            && !matches!(moves, Move::Go | Move::Retry)
        {
            self.drop_abandoned()?;
            if self.queues.postponed_len() >= self.limits.postponed as usize {
                return self.refuse(entry, clock);
            }
        }
        if let Some(call) = &entry.call {
            // A machine that keeps abandoned requests will handle it all the same, so that the
            // caller of one that was forwarded is not to hear that it will not run.
            if !M::KEEP_ABANDONED {
                call.release();
            }
        }
        self.queues.postpone(entry);
        Ok(())
    }

    /// N53: postponed requests whose callers have gone make room.
    fn drop_abandoned(&mut self) -> Result<(), ExitReason> {
        let mut result = Ok(());
        if M::KEEP_ABANDONED {
            return result;
        }
        for (entry, _) in self.queues.extract_abandoned() {
            self.counts.seldom().abandoned += 1;
            result = result.and(self.drop_value(Callback::DropEvent, entry.event));
        }
        result
    }

    /// N45: there is no room to postpone the event in.
    fn refuse(
        &mut self,
        entry: Entry<M::Timeout, M::Event>,
        clock: Clock<'_>,
    ) -> Result<(), ExitReason> {
        let Entry {
            event,
            origin,
            call,
            ..
        } = entry;
        self.counts.seldom().refused += 1;
        match (origin, call) {
            (Origin::Call, Some(call)) => {
                let what = Bound::Postponed;
                let machine = M::GRAPH.name;
                scope::refuse(&call, Failure::Full { machine, what });
                self.drop_value(Callback::DropEvent, event)
            }
            (Origin::Cast, _) => {
                let now = clock();
                if self.queues.may_warn(now) {
                    warning!(
                        machine = M::GRAPH.name,
                        state = self.state_name(),
                        refused = self.counts.seldom().refused,
                        "a cast could not be postponed: the postponed queue is full"
                    );
                }
                self.callback = Callback::Refused;
                if let (Some(state), Some(data)) = (&self.state, &mut self.data) {
                    state.refused(event, data);
                }
                Ok(())
            }
            _ => {
                self.drop_value(Callback::DropEvent, event)?;
                Err(ExitReason::Overflow {
                    what: Bound::Postponed,
                })
            }
        }
    }

    /// A handler got an event that it does not expect.
    pub(super) fn unexpected(&mut self, event: M::Event, from: usize) -> Result<(), ExitReason> {
        let (machine, state) = (M::GRAPH.name, name_of::<M>(from));
        self.counts.seldom().unexpected += 1;
        warning!(machine, state, event = std::any::type_name::<M::Event>(), origin = ?self.enter_cx.cx.origin, "unexpected event");
        if let Some(call) = &self.enter_cx.cx.call {
            scope::refuse(call, Failure::Unexpected { machine, state });
        }
        self.drop_value(Callback::DropEvent, event)?;
        let text = || format!("`{machine}` got an event it does not expect in state `{state}`");
        match M::UNEXPECTED {
            Unexpected::Warn => Ok(()),
            Unexpected::Stop => Err(ExitReason::other(text())),
            Unexpected::Panic => panic!("{}", text()),
        }
    }
}
