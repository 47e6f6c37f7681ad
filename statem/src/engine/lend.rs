//! The sources, lent to whoever polls them: the engine itself never does.

use std::any::Any;
use std::pin::Pin;
use std::task::Waker;

use super::Engine;
use crate::event::SourceId;
use crate::handler::Handler;
use crate::reason::{ExitReason, message};
use crate::source::Source;

impl<M: Handler> Engine<M> {
    /// The sources that were started since this was last asked: each is to be polled.
    pub fn take_started(&mut self) -> Vec<SourceId> {
        self.sources
            .as_mut()
            .map_or_else(Vec::new, |sources| sources.take_started())
    }

    /// A source, to be polled once: what it gives goes to [`Engine::output`] at once (N27), its
    /// `None` to [`Engine::source_ended`]. `None` if it has ended, its guard is gone, or it has
    /// no credit left (N40).
    pub fn source(
        &mut self,
        source: SourceId,
    ) -> Option<Pin<&mut (dyn Source<M::Event> + 'static)>> {
        self.sources
            .as_mut()
            .and_then(|sources| sources.pollable(source))
    }

    /// The next source that asked to be flushed at the end of this turn; see
    /// [`Guard::flush`](crate::Guard::flush).
    pub fn next_flush(&mut self) -> Option<SourceId> {
        self.enter_cx
            .cx
            .actions
            .released()
            .and_then(|list| list.pop_flush())
    }

    /// How many sources asked to be flushed.
    #[cfg(feature = "tokio")]
    pub(crate) fn flushes(&self) -> usize {
        let list = self.enter_cx.cx.actions.released();
        list.map_or(0, |list| list.flushes())
    }

    /// A source, to be flushed.
    pub fn flushable(
        &mut self,
        source: SourceId,
    ) -> Option<Pin<&mut (dyn Source<M::Event> + 'static)>> {
        self.sources
            .as_mut()
            .and_then(|sources| sources.flushable(source))
    }

    /// The waker to use when a source may be polled again: it got a credit back, or its guard asks
    /// for it.
    pub fn set_waker(&mut self, source: SourceId, waker: Waker) {
        if let Some(cell) = self
            .sources
            .as_ref()
            .and_then(|sources| sources.cell(source))
        {
            cell.set_waker(waker);
        }
    }

    /// The sources that run, oldest first, and whether each belongs to the state.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, bool)> + '_ {
        self.sources.iter().flat_map(|sources| sources.running())
    }

    /// A source panicked while it was polled: that is a panic of the machine, and its reason names
    /// the type of the source (N39).
    pub fn source_panicked(&mut self, source: SourceId, payload: &(dyn Any + Send)) {
        if self.end.is_none() {
            let name = self
                .sources
                .as_ref()
                .and_then(|sources| sources.name(source));
            self.end = Some(Box::new(ExitReason::Panicked {
                message: message(payload),
                callback: name.unwrap_or("a source"),
                state: self.state_name(),
            }));
            self.finish_end();
        }
    }

    /// Ends a task with an output, without polling it: how a test finishes a task by hand.
    ///
    /// # Errors
    ///
    /// Gives the output back if this is not a running task with an output of this type.
    #[cfg(feature = "test-util")]
    pub fn finish_task(
        &mut self,
        source: SourceId,
        output: Box<dyn Any>,
        clock: super::Clock<'_>,
    ) -> Result<(), Box<dyn Any>> {
        let Some(sources) = &mut self.sources else {
            return Err(output);
        };
        let event = sources.finish(source, output)?;
        self.output(source, event, clock);
        self.source_ended(source);
        Ok(())
    }
}
