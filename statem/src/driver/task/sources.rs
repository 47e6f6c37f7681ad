//! The sources of a machine: polled when they are woken (N27, N28), flushed at the end of a turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use super::{Driver, Flow};
use crate::driver::clock;
use crate::driver::ready::Ready;
use crate::event::SourceId;
use crate::handler::Handler;
use crate::scope;

/// Outputs of one source handled in one turn (N20 c).
const OUTPUTS: usize = 32;
/// Outputs of all sources handled in one turn (N20 c).
const ALL_OUTPUTS: usize = 128;
/// Sources polled in one turn (N20 c): each poll may take as long as a turn of another machine, as
/// that of a child does.
pub(super) const POLLED: usize = 128;

impl<M: Handler> Driver<M> {
    /// (c) Outputs of the sources that were woken, in round robin.
    pub(super) fn outputs(&mut self) -> Flow {
        if self.has_held() && self.held_outputs() == Flow::Break {
            return Flow::Break;
        }
        let Some(ready) = &self.ready else {
            return Flow::On;
        };
        let mut all = 0;
        for _ in 0..ready.woken().min(POLLED) {
            if all == ALL_OUTPUTS {
                // The others keep their places, so that they come first in the next turn.
                break;
            }
            let Some(source) = self.ready.as_ref().and_then(|ready| ready.pop()) else {
                break;
            };
            let mut outputs = 0;
            loop {
                if outputs == OUTPUTS || all == ALL_OUTPUTS {
                    self.wake_later(source);
                    break;
                }
                match self.poll_source(source) {
                    Poll::Pending => break,
                    Poll::Ready(None) => {
                        self.engine.source_ended(source);
                        break;
                    }
                    Poll::Ready(Some(event)) => {
                        outputs += 1;
                        all += 1;
                        let start = self.mailbox.start;
                        self.engine.output(source, event, &|| clock::since(start));
                        if self.empty_queue() == Flow::Break {
                            self.wake_later(source);
                            return Flow::Break;
                        }
                    }
                }
            }
            if self.may_go_on() == Flow::Break {
                return Flow::Break;
            }
        }
        Flow::On
    }

    /// Polls a source once, with its own waker.
    pub(super) fn poll_source(&mut self, source: SourceId) -> Poll<Option<M::Event>> {
        let Some(waker) = self.ready.as_ref().and_then(|ready| ready.waker(source)) else {
            return Poll::Pending;
        };
        let Some(pinned) = self.engine.source(source) else {
            // Its guard may have been dropped on another thread: then it goes now, whatever else
            // happens (N37).
            self.engine.tend();
            // Without credit it is not asked for events, but what it has to write still leaves (N20
            // e).
            self.flush_source(source);
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            scope::outside(|| pinned.poll_event(&mut Context::from_waker(waker)))
        }));
        match polled {
            Ok(polled) => polled,
            Err(payload) => {
                self.engine.source_panicked(source, &*payload);
                std::mem::forget(payload);
                Poll::Pending
            }
        }
    }

    /// Takes in the sources that were started, and lets those write that asked for it.
    pub(super) fn flush(&mut self) {
        // First, for a source may have been given something to write in the transition that started
        // it.
        for source in self.engine.take_started() {
            let ready = self.ready.get_or_insert_with(|| Box::new(Ready::new()));
            let waker = ready.add(source);
            self.engine.set_waker(source, waker);
        }
        // What asks for it meanwhile is flushed in the next turn: it has woken the driver.
        for _ in 0..self.engine.flushes() {
            let Some(source) = self.engine.next_flush() else {
                break;
            };
            self.flush_source(source);
        }
        // Sources end without telling the driver.
        if let Some(ready) = &mut self.ready {
            if ready.is_due() {
                let running: Vec<_> = self.engine.sources().map(|(source, _)| source).collect();
                ready.retain(|source| running.binary_search(&source).is_ok());
            }
        }
    }

    fn flush_source(&mut self, source: SourceId) {
        let Some(waker) = self.ready.as_ref().and_then(|ready| ready.waker(source)) else {
            return;
        };
        let Some(pinned) = self.engine.flushable(source) else {
            return;
        };
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            scope::outside(|| pinned.poll_flush(&mut Context::from_waker(waker)));
        }));
        if let Err(payload) = flushed {
            self.engine.source_panicked(source, &*payload);
            std::mem::forget(payload);
        }
    }

    pub(super) fn wake_later(&self, source: SourceId) {
        if let Some(ready) = &self.ready {
            ready.push(source);
        }
    }
}
