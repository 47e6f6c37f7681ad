//! Steps 5 to 9 of a transition: what its callbacks asked for is carried out.

use std::time::Duration;

use super::end::Callback;
use super::sources::Sources;
use super::step::Move;
use super::timers::Timers;
use super::{Clock, Engine};
use crate::context::{Key, Request, When};
use crate::machine::Machine;
use crate::reason::{Bound, ExitReason};
use crate::trace::warning;

impl<M: Machine> Engine<M> {
    /// Steps 5 to 9: what the callbacks asked for. For the queue it does not matter that the event
    /// was settled before.
    pub(super) fn carry_out(&mut self, moves: Move, clock: Clock<'_>) -> Result<(), ExitReason> {
        if matches!(moves, Move::Go | Move::Retry) {
            self.queues.retry();
        }
        if self.timers.is_some() {
            if moves == Move::Go {
                let cancelled = self.cancel_timeout(Key::State);
                self.drop_value(Callback::DropEvent, cancelled)?;
            }
            let cancelled = self.cancel_timeout(Key::Event);
            self.drop_value(Callback::DropEvent, cancelled)?;
        }
        if self.enter_cx.cx.actions.any {
            self.enter_cx.cx.actions.any = false;
            self.set_timeouts(clock)?;
            self.insert_events()?;
            self.start_sources()?;
            self.careful = self.is_careful();
        } else if self.timers.is_some() {
            self.careful = self.is_careful();
        }
        Ok(())
    }

    /// Whether even a bare `keep` may have work to do after it.
    pub(super) fn is_careful(&self) -> bool {
        self.enter_cx.cx.actions.released().is_some() || self.is_attended()
    }

    /// Whether a bare `keep` of a machine that is careful has no work to do after it: most machines
    /// are so for guards that nobody drops.
    pub(super) fn owes_nothing(&self) -> bool {
        !self.enter_cx.cx.actions.has_released() && !self.is_attended()
    }

    /// Whether every event ends an event timeout or is recorded.
    fn is_attended(&self) -> bool {
        #[cfg(feature = "tokio")]
        let recorded = self.is_recorded();
        #[cfg(not(feature = "tokio"))]
        let recorded = false;
        recorded
            || self
                .timers
                .as_ref()
                .is_some_and(|timers| timers.is_running(Key::Event))
    }

    /// Step 7: of each timeout only the last request counts (R56).
    ///
    /// Running timers start from the last request to the first, which is the order in which equal
    /// deadlines fire (N26); the zero queue keeps the order of the requests (R68).
    fn set_timeouts(&mut self, clock: Clock<'_>) -> Result<(), ExitReason> {
        if self.enter_cx.cx.actions.requests().timeouts.is_empty() {
            return Ok(());
        }
        let mut timers = self
            .timers
            .take()
            .unwrap_or_else(|| Box::new(Timers::new()));
        let result = self.set_timeouts_in(&mut timers, clock);
        self.timers = Some(timers);
        result
    }

    fn set_timeouts_in(
        &mut self,
        timers: &mut Timers<M::Timeout, M::Event>,
        clock: Clock<'_>,
    ) -> Result<(), ExitReason> {
        // 5. The clock is read once, and only for a relative timeout (N24).
        let mut read = false;
        while let Some(request) = self.enter_cx.cx.actions.requests().timeouts.pop() {
            let requests = self.enter_cx.cx.actions.requests();
            let key = request.key();
            if !matches!(key, Key::Guarded(_)) {
                if requests.keys.contains(&key) {
                    self.warn_of_update(timers, &request);
                    self.drop_value(Callback::DropEvent, request)?;
                    continue;
                }
                requests.keys.push(key);
            }
            match request {
                Request::Start(_, _, event, Some(cell)) if cell.is_released() => {
                    self.drop_value(Callback::DropEvent, event)?;
                }
                Request::Start(key, When::At(at), event, _) => {
                    let replaced = timers.start(key, Some(at), event);
                    self.drop_value(Callback::DropEvent, replaced)?;
                }
                Request::Start(key, When::After(after), event, _) if after > Duration::ZERO => {
                    if !std::mem::replace(&mut read, true) {
                        timers.tell(clock());
                    }
                    let replaced = timers.start(key, timers.after(after), event);
                    self.drop_value(Callback::DropEvent, replaced)?;
                }
                in_order => requests.ordered.push(in_order),
            }
        }
        self.enter_cx.cx.actions.requests().keys.clear();
        while let Some(request) = self.enter_cx.cx.actions.requests().ordered.pop() {
            let replaced = match request {
                Request::Start(key, _, event, _) => timers.start_zero(key, event),
                Request::Update(key, event) => timers.update(key, event),
                Request::Cancel(key) => timers.cancel(key),
            };
            self.drop_value(Callback::DropEvent, replaced)?;
        }
        Ok(())
    }

    /// N2: an update speaks of the timeout that ran before the transition, so a start beside it
    /// does not count and the event comes at once, which is seldom meant. Debug builds say so once.
    fn warn_of_update(&mut self, timers: &Timers<M::Timeout, M::Event>, superseded: &Request<M>) {
        let key = superseded.key();
        if !cfg!(debug_assertions)
            || !matches!(superseded, Request::Start(..))
            || timers.is_running(key)
        {
            return;
        }
        let later = &self.enter_cx.cx.actions.requests().ordered;
        let updated =
            |later: &Request<M>| matches!(later, Request::Update(..)) && later.key() == key;
        if later.iter().any(updated) && !std::mem::replace(&mut self.warned.updated, true) {
            warning!(
                machine = M::GRAPH.name,
                state = self.state_name(),
                timeout = ?key,
                "a timeout was started and updated in one transition: its event comes at once"
            );
        }
    }

    /// Step 8: inserted events go to the front of the queue (R12).
    fn insert_events(&mut self) -> Result<(), ExitReason> {
        let inserted = &mut self.enter_cx.cx.actions.requests().inserted;
        self.counts.received += inserted.len() as u64;
        self.queues.insert(inserted);
        if self.queues.inserted() > self.limits.inserted as usize {
            return Err(ExitReason::Overflow {
                what: Bound::Inserted,
            });
        }
        Ok(())
    }

    /// Step 9: new sources become live; they are first polled in a later turn.
    fn start_sources(&mut self) -> Result<(), ExitReason> {
        // They are started in the order they were asked for, so that the newest is the last one.
        self.enter_cx.cx.actions.requests().sources.reverse();
        while let Some(new) = self.enter_cx.cx.actions.requests().sources.pop() {
            if new.cell.is_released() {
                self.drop_value(Callback::DropSource, new)?;
            } else {
                self.sources
                    .get_or_insert_with(|| Box::new(Sources::new()))
                    .start(new);
            }
        }
        Ok(())
    }
}
