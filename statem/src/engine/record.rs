//! What is kept and traced of the events of a machine, and how its values are shown, for those who
//! ask for it (R128 to R131). A machine that nobody looks at has no record.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Engine, name_of, timeout_name};
use crate::counts::Counts;
use crate::event::Origin;
use crate::machine::Machine;
use crate::trace::traced;

/// Stands for what a function of the user's was to show, and panicked.
const PANICKED: &str = "(not shown: the function that shows it panicked)";

/// How the values of a machine are shown to people; without a function they are not (R131).
pub(crate) struct Show<M: Machine> {
    pub(crate) state: Option<fn(&M) -> String>,
    pub(crate) data: Option<fn(&M::Data) -> String>,
    pub(crate) event: Option<fn(&M::Event) -> String>,
}

/// In a box of its own: few machines have one.
pub(crate) struct Record<M: Machine> {
    pub(crate) show: Show<M>,
    pub(crate) traces: bool,
    /// How many lines are kept.
    most: usize,
    lines: VecDeque<Line<M::Timeout>>,
    /// The event that was handled last, as it is shown.
    event: Option<String>,
    /// What had been counted before it.
    before: Counts,
}

/// One transition, in the log.
struct Line<Name> {
    /// `None` for the first one, which has no event.
    origin: Option<Origin<Name>>,
    event: Option<String>,
    retried: bool,
    from: &'static str,
    to: &'static str,
    fate: &'static str,
    replies: u64,
}

impl<M: Machine> Record<M> {
    /// The last `most` lines are kept; those there are already beyond that are dropped.
    pub(crate) fn keep(&mut self, most: usize) {
        self.most = most;
        let beyond = self.lines.len().saturating_sub(most);
        self.lines.drain(..beyond);
        if most == 0 {
            self.lines = VecDeque::new();
        }
    }

    /// Whether each event is looked at.
    fn is_on(&self) -> bool {
        self.traces || self.most > 0
    }

    fn add(&mut self, line: Line<M::Timeout>) {
        if self.traces {
            // Who listens is foreign code, and so is the `Debug` of a timeout's name.
            let told = catch_unwind(AssertUnwindSafe(|| {
                traced!(
                    machine = M::GRAPH.name,
                    state = line.from,
                    next = line.to,
                    origin = line.origin.map(origin_name),
                    event = line.event.as_deref(),
                    retried = line.retried,
                    replies = line.replies,
                    "{}",
                    line.fate
                );
            }));
            if let Err(payload) = told {
                std::mem::forget(payload);
            }
        }
        if self.most > 0 {
            if self.lines.len() == self.most {
                self.lines.pop_front();
            }
            self.lines.push_back(line);
        }
    }
}

impl<M: Machine> Default for Record<M> {
    fn default() -> Self {
        Record {
            show: Show::default(),
            traces: false,
            most: 0,
            lines: VecDeque::new(),
            event: None,
            before: Counts::default(),
        }
    }
}

impl<M: Machine> Default for Show<M> {
    fn default() -> Self {
        Show {
            state: None,
            data: None,
            event: None,
        }
    }
}

impl<M: Machine> Clone for Show<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Machine> Copy for Show<M> {}

/// What a function of the user's says of a value, or that it panicked: nothing else of the value
/// gets out (R131).
pub(crate) fn shown<T: ?Sized>(show: Option<fn(&T) -> String>, value: &T) -> Option<String> {
    show.map(|show| caught(|| show(value)))
}

/// The text that foreign code makes, or that it panicked.
pub(crate) fn caught(text: impl FnOnce() -> String) -> String {
    catch_unwind(AssertUnwindSafe(text)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        PANICKED.into()
    })
}

/// The word for where an event came from, for people.
pub(crate) fn origin_name<Name: fmt::Debug + Copy>(origin: Origin<Name>) -> String {
    match origin {
        Origin::Call => "call".into(),
        Origin::Cast => "cast".into(),
        Origin::Inserted => "inserted".into(),
        Origin::Source(id) => format!("{id:?}"),
        timeout => timeout_name(timeout),
    }
}

/// An event by its origin, and by its value if that is shown.
pub(crate) fn event_text<Name: fmt::Debug + Copy>(
    origin: Origin<Name>,
    shown: Option<&str>,
) -> String {
    let origin = caught(|| origin_name(origin));
    match shown {
        Some(shown) => format!("{origin} {shown}"),
        None => origin,
    }
}

impl<Name: fmt::Debug + Copy> fmt::Display for Line<Name> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(origin) = self.origin else {
            return write!(f, "{} in {}", self.fate, self.to);
        };
        let again = if self.retried { ", again" } else { "" };
        let event = event_text(origin, self.event.as_deref());
        write!(f, "{event}{again}, in {}: {}", self.from, self.fate)?;
        if self.to != self.from && !self.to.is_empty() {
            write!(f, ", to {}", self.to)?;
        }
        match self.replies {
            0 => Ok(()),
            1 => f.write_str(", 1 reply"),
            many => write!(f, ", {many} replies"),
        }
    }
}

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
        self.record.as_ref().map_or_else(Vec::new, |record| {
            record.lines.iter().map(ToString::to_string).collect()
        })
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
        let text = |entry: &super::Entry<M::Timeout, M::Event>| {
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
