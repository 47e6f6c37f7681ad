//! What is kept and traced of the events of a machine, and how its values are shown, for those who
//! ask for it (R128 to R131). A machine that nobody looks at has no record.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    pub(crate) event: Option<String>,
    /// What had been counted before it.
    pub(crate) before: Counts,
}

/// One transition, in the log.
pub(crate) struct Line<Name> {
    /// `None` for the first one, which has no event.
    pub(crate) origin: Option<Origin<Name>>,
    pub(crate) event: Option<String>,
    pub(crate) retried: bool,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) fate: &'static str,
    pub(crate) replies: u64,
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
    pub(crate) fn is_on(&self) -> bool {
        self.traces || self.most > 0
    }

    /// The lines that are kept, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(ToString::to_string)
    }

    pub(crate) fn add(&mut self, line: Line<M::Timeout>) {
        if self.traces {
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

/// The word for a running timeout's key, for people.
pub(crate) fn timeout_name<Name: fmt::Debug + Copy>(origin: Origin<Name>) -> String {
    match origin {
        Origin::StateTimeout => "state timeout".into(),
        Origin::EventTimeout => "event timeout".into(),
        Origin::Timeout(name) => format!("timeout {name:?}"),
        Origin::Timer(id) => format!("{id:?}"),
        other => format!("{other:?}"),
    }
}
