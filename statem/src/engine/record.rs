//! What an engine writes into its record, of each transition (R128 to R131).

#[cfg(feature = "tracing")]
use super::Entry;
use super::{Engine, name_of};
use crate::counts::Counts;
use crate::event::Origin;
use crate::machine::Machine;
#[cfg(feature = "tracing")]
use crate::record::event_text;
use crate::record::{Line, Record, Show, shown};

impl<M: Machine> Engine<M> {
    /// Changes how the machine is looked at, at rest.
    pub(crate) fn change_record(&mut self, change: impl FnOnce(&mut Record<M>)) {
        let record = self.record.get_or_insert_default();
        change(record);
        if !record.is_on() {
            // The next event will not be looked at, and this one is not to be taken for it.
            record.event = None;
        }
        self.careful = self.is_careful();
    }

    pub(crate) fn set_record(&mut self, record: Option<Box<Record<M>>>) {
        self.record = record;
        self.careful = self.is_careful();
    }

    /// Whether each event is looked at: who only has values shown pays nothing for it.
    #[inline]
    pub(super) fn is_recorded(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_on())
    }

    /// How values are shown.
    pub(crate) fn show(&self) -> Show<M> {
        self.record
            .as_ref()
            .map_or_else(Show::default, |record| record.show)
    }

    /// The lines of the log, oldest first.
    pub(crate) fn log(&self) -> Vec<String> {
        self.record
            .as_ref()
            .map_or_else(Vec::new, |record| record.lines().collect())
    }

    /// The event that ended the machine; `None` if it ended between two events.
    #[cfg(feature = "tracing")]
    pub(crate) fn last_event(&self) -> Option<String> {
        let shown = self
            .record
            .as_ref()
            .and_then(|record| record.event.as_deref());
        self.ended_by_event
            .then(|| event_text(self.enter_cx.cx.origin, shown))
    }

    /// The events that wait and those that are postponed, at most so many of each.
    #[cfg(feature = "tracing")]
    pub(crate) fn waiting_texts(&self, most: usize) -> [Vec<String>; 2] {
        let show = self.show().event;
        let text = |entry: &Entry<M::Timeout, M::Event>| {
            event_text(entry.origin, shown(show, &entry.event).as_deref())
        };
        [
            self.queues.waiting().take(most).map(text).collect(),
            self.queues.postponed().take(most).map(text).collect(),
        ]
    }

    /// The first transition is complete.
    pub(super) fn record_start(&mut self) {
        let to = self.state_name();
        let fate = if self.end.is_some() {
            "ended"
        } else {
            "started"
        };
        if let Some(record) = self.record.as_mut().filter(|record| record.is_on()) {
            record.add(Line {
                origin: None,
                event: None,
                retried: false,
                from: "",
                to,
                fate,
                replies: 0,
            });
        }
    }

    /// A handler is about to get the event, and somebody looks.
    #[cold]
    pub(super) fn record_event(&mut self, event: &M::Event) {
        let counts = self.counts();
        if let Some(record) = &mut self.record {
            record.event = shown(record.show.event, event);
            record.before = counts;
        }
    }

    /// The transition of that event has ended.
    #[cold]
    pub(super) fn record_outcome(
        &mut self,
        origin: Origin<M::Timeout>,
        retried: bool,
        from: usize,
    ) {
        let (to, after) = (self.state_name(), self.counts());
        let ended = self.ended_by_event;
        if let Some(record) = &mut self.record {
            let fate = if ended {
                "ended the machine"
            } else {
                fate(record.before, after)
            };
            record.add(Line {
                origin: Some(origin),
                event: record.event.clone(),
                retried,
                from: name_of::<M>(from),
                to,
                fate,
                replies: after.replied - record.before.replied,
            });
        }
    }

    /// The caller of the event has gone, and no handler gets it (N52).
    #[cold]
    pub(super) fn record_skipped(
        &mut self,
        event: &M::Event,
        origin: Origin<M::Timeout>,
        retried: bool,
    ) {
        let from = self.state_name();
        if let Some(record) = &mut self.record {
            record.add(Line {
                origin: Some(origin),
                event: shown(record.show.event, event),
                retried,
                from,
                to: from,
                fate: "skipped, its caller has gone",
                replies: 0,
            });
        }
    }
}

/// What has become of the one event that was handled between the two.
fn fate(before: Counts, after: Counts) -> &'static str {
    if after.postponed > before.postponed {
        "postponed"
    } else if after.refused > before.refused {
        "could not be postponed"
    } else if after.unexpected > before.unexpected {
        "unexpected"
    } else if after.consumed > before.consumed {
        "consumed"
    } else {
        "discarded, its source has gone"
    }
}
