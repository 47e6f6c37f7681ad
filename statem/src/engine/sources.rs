//! The sources of a machine: owned here, so that they are dropped in the right order (N1), polled
//! by the driver.

use std::pin::Pin;
use std::sync::Arc;

use crate::context::NewSource;
use crate::event::SourceId;
use crate::guard::Cell;
use crate::source::{BoxedSource, Source};

pub(super) struct Sources<Event> {
    /// In the order they were started, which is the order of their numbers. Those that are gone
    /// leave gaps, but never at the end, until there are more gaps than entries.
    entries: Vec<(SourceId, Option<Entry<Event>>)>,
    gaps: usize,
    /// How many belong to the state.
    of_state: usize,
    /// Those the driver has not been told of.
    started: Vec<SourceId>,
}

struct Entry<Event> {
    of_state: bool,
    cell: Arc<Cell>,
    /// `None` when it has ended and its outputs are still waiting to be handled (N38).
    source: Option<BoxedSource<Event>>,
    /// Its outputs that wait or are postponed.
    outputs: usize,
    /// As many of them hold no credit of the source's own.
    read: usize,
}

impl<Event> Sources<Event> {
    pub(super) fn new() -> Self {
        Sources {
            entries: Vec::new(),
            gaps: 0,
            of_state: 0,
            started: Vec::new(),
        }
    }

    pub(super) fn start(&mut self, new: NewSource<Event>) {
        if self.entries.is_empty() {
            self.entries.reserve_exact(1);
        }
        self.started.push(new.id);
        let NewSource {
            id,
            source,
            of_state,
            cell,
        } = new;
        self.of_state += usize::from(of_state);
        let entry = Entry {
            of_state,
            cell,
            source: Some(source),
            outputs: 0,
            read: 0,
        };
        self.entries.push((id, Some(entry)));
    }

    pub(super) fn take_started(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.started)
    }

    pub(super) fn cell(&self, id: SourceId) -> Option<&Arc<Cell>> {
        let place = self.find(id)?;
        self.entries[place].1.as_ref().map(|entry| &entry.cell)
    }

    /// What the source is, for people.
    pub(super) fn name(&self, id: SourceId) -> Option<&'static str> {
        let place = self.find(id)?;
        let entry = self.entries[place].1.as_ref()?;
        entry.source.as_ref().map(|source| source.name())
    }

    /// The source, to be polled: not if it has ended, has no credit (N40) or its guard is gone.
    pub(super) fn pollable(
        &mut self,
        id: SourceId,
    ) -> Option<Pin<&mut (dyn Source<Event> + 'static)>> {
        let entry = self.entry(id)?;
        if entry.cell.is_released() || !entry.cell.has_credit() {
            return None;
        }
        entry.source.as_mut().map(Pin::as_mut)
    }

    /// The source, to be flushed.
    pub(super) fn flushable(
        &mut self,
        id: SourceId,
    ) -> Option<Pin<&mut (dyn Source<Event> + 'static)>> {
        let entry = self.entry(id)?;
        entry.cell.flushing();
        if entry.cell.is_released() {
            return None;
        }
        entry.source.as_mut().map(Pin::as_mut)
    }

    /// An output has been taken from the source. False if the source is gone.
    pub(super) fn output(&mut self, id: SourceId) -> bool {
        let Some(entry) = self.entry(id) else {
            return false;
        };
        entry.outputs += 1;
        if !entry.cell.take_credit() {
            entry.read += 1;
        }
        true
    }

    /// An output has been consumed: a credit of the source's own comes back, once those that were
    /// read beyond them are consumed (N40).
    pub(super) fn consumed(&mut self, id: SourceId) {
        let Some(entry) = self.entry(id) else { return };
        entry.outputs = entry.outputs.saturating_sub(1);
        if entry.source.is_none() && entry.outputs == 0 {
            drop(self.take(id));
        } else if entry.read > 0 {
            entry.read -= 1;
        } else {
            entry.cell.give_credit();
        }
    }

    /// The source has ended by itself. Its outputs stay valid (N38). Gives it back to be dropped.
    pub(super) fn ended(&mut self, id: SourceId) -> Option<BoxedSource<Event>> {
        let entry = self.entry(id)?;
        if entry.outputs == 0 {
            return self.take(id)?.source;
        }
        entry.source.take()
    }

    /// Takes a source out, with whether outputs of it are still in the queues.
    pub(super) fn remove(&mut self, id: SourceId) -> Option<(Option<BoxedSource<Event>>, bool)> {
        let entry = self.take(id)?;
        Some((entry.source, entry.outputs > 0))
    }

    /// The sources of the state, newest first.
    pub(super) fn of_state(&self) -> Vec<SourceId> {
        if self.of_state == 0 {
            return Vec::new();
        }
        self.entries
            .iter()
            .rev()
            .filter(|(_, entry)| entry.as_ref().is_some_and(|entry| entry.of_state))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The newest source, ended or not.
    pub(super) fn newest(&self) -> Option<SourceId> {
        self.entries.last().map(|(id, _)| *id)
    }

    /// The sources that have not ended, with whether they belong to the state.
    pub(super) fn running(&self) -> impl Iterator<Item = (SourceId, bool)> + '_ {
        self.entries.iter().filter_map(|(id, entry)| {
            let entry = entry.as_ref()?;
            entry.source.as_ref().map(|_| (*id, entry.of_state))
        })
    }

    /// Ends a task with an output by hand; see [`Source::finish`].
    #[cfg(feature = "test-util")]
    pub(super) fn finish(
        &mut self,
        id: SourceId,
        output: Box<dyn std::any::Any>,
    ) -> Result<Event, Box<dyn std::any::Any>> {
        match self.pollable(id) {
            Some(source) => source.finish(output),
            None => Err(output),
        }
    }

    fn find(&self, id: SourceId) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |(id, _)| *id).ok()
    }

    fn entry(&mut self, id: SourceId) -> Option<&mut Entry<Event>> {
        let place = self.find(id)?;
        self.entries[place].1.as_mut()
    }

    /// Takes an entry out. Many that go one by one are not moved each time.
    fn take(&mut self, id: SourceId) -> Option<Entry<Event>> {
        let place = self.find(id)?;
        let entry = self.entries[place].1.take()?;
        self.of_state -= usize::from(entry.of_state);
        self.gaps += 1;
        while let Some((_, None)) = self.entries.last() {
            self.entries.pop();
            self.gaps -= 1;
        }
        if 2 * self.gaps > self.entries.len() {
            self.entries.retain(|(_, entry)| entry.is_some());
            self.gaps = 0;
        }
        Some(entry)
    }
}
