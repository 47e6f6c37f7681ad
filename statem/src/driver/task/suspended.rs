//! A machine that is suspended (N72, N73).

use std::task::Poll;

use super::sources::POLLED;
use super::{Driver, Flow};
use crate::driver::clock;
use crate::event::SourceId;
use crate::handler::Handler;

/// Control requests served in a turn.
const CONTROLS: usize = 64;

impl<M: Handler> Driver<M> {
    /// Outputs that wait for their turn since the machine was suspended.
    pub(super) fn held(&self) -> usize {
        self.ready.as_ref().map_or(0, |ready| ready.held.len())
    }

    pub(super) fn has_held(&self) -> bool {
        self.held() > 0
    }

    /// A turn without events: control requests, in order and ahead of the messages before them;
    /// sources, until each has an output; writes. Whether there is more to do at once.
    pub(super) fn suspended_turn(&mut self) -> bool {
        if !self.batch.is_empty() {
            self.mailbox.take_back(&mut self.batch);
        }
        let mut served = 0;
        while self.suspended && served < CONTROLS && !self.is_ending() {
            let Some(control) = self.mailbox.take_control() else {
                break;
            };
            self.serve(control);
            served += 1;
        }
        if !self.suspended {
            // What was due meanwhile, what sources gave, and then the messages: in the next turn.
            self.flush();
            return true;
        }
        if !self.is_ending() {
            self.engine.tend();
            self.hold_outputs();
        }
        self.flush();
        served == CONTROLS || self.has_woken()
    }

    /// Polls the sources that were woken, but for those that have given an output already.
    fn hold_outputs(&mut self) {
        self.drop_held_of_gone();
        let woken = self.ready.as_ref().map_or(0, |ready| ready.woken());
        for _ in 0..woken.min(POLLED) {
            let Some(ready) = &self.ready else { break };
            let Some(source) = ready.pop() else { break };
            if ready.held.iter().any(|(of, _)| *of == source) {
                // It is woken again when its output is handled.
                continue;
            }
            match self.poll_source(source) {
                Poll::Pending => {}
                Poll::Ready(None) => self.engine.source_ended(source),
                Poll::Ready(Some(event)) => self.hold_output(source, event),
            }
            if self.is_ending() {
                break;
            }
        }
        self.drop_held_of_gone();
    }

    /// N36: the output of a source goes with its source.
    fn drop_held_of_gone(&mut self) {
        if !self.has_held() {
            return;
        }
        let running: Vec<_> = self.engine.sources().map(|(source, _)| source).collect();
        let held = self
            .ready
            .as_mut()
            .map(|ready| std::mem::take(&mut ready.held));
        for (source, event) in held.unwrap_or_default() {
            if running.binary_search(&source).is_ok() {
                self.hold_output(source, event);
            } else {
                // The engine drops it and counts it as discarded.
                let start = self.mailbox.start;
                self.engine.output(source, event, &|| clock::since(start));
            }
        }
    }

    fn hold_output(&mut self, source: SourceId, event: M::Event) {
        if let Some(ready) = &mut self.ready {
            ready.held.push_back((source, event));
        }
    }

    pub(super) fn pop_held(&mut self) -> Option<(SourceId, M::Event)> {
        self.ready.as_mut()?.held.pop_front()
    }

    /// (c) The outputs that came while the machine was suspended, before those of this turn.
    pub(super) fn held_outputs(&mut self) -> Flow {
        while self.has_held() {
            if self.may_go_on() == Flow::Break {
                return Flow::Break;
            }
            let Some((source, event)) = self.pop_held() else {
                break;
            };
            let start = self.mailbox.start;
            self.engine.output(source, event, &|| clock::since(start));
            self.wake_later(source);
            if self.empty_queue() == Flow::Break {
                return Flow::Break;
            }
        }
        Flow::On
    }
}
