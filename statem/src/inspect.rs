//! What a running machine shows when it is asked (N70).

use std::time::Duration;

use crate::counts::Counts;
use crate::error::Panic;
use crate::event::SourceId;
use crate::machine::Machine;
use crate::record::{Record, Show};
use crate::reply::Reply;
#[cfg(feature = "serde")]
use crate::snapshot::Saving;

/// A machine at rest, in names and counts; see [`Handle::inspect`](crate::Handle::inspect).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The name of the machine.
    pub machine: &'static str,
    /// The name of its state.
    pub state: &'static str,
    /// Whether it is suspended (N72).
    pub suspended: bool,
    /// Its running timeouts by name, with the time that remains: `None` is never.
    pub timeouts: Vec<(String, Option<Duration>)>,
    /// Its sources, oldest first, and whether each belongs to the state.
    pub sources: Vec<(SourceId, bool)>,
    /// What waits, and how many.
    pub waiting: Waiting,
    /// What happened, and how often.
    pub counts: Counts,
    /// The last transitions, oldest first, as many as
    /// [`Builder::keep_log`](crate::Builder::keep_log) or
    /// [`Handle::keep_log`](crate::Handle::keep_log) asked for (R130).
    pub log: Vec<String>,
}

/// How many wait for a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Messages in the mailbox.
    pub mailbox: usize,
    /// Senders that wait for room in the mailbox.
    pub senders: usize,
    /// Events in the queue: more than none only between two parts of a long chain (N30).
    pub queue: usize,
    /// Postponed events.
    pub postponed: usize,
}

/// What an observer in the machine's task may look at.
pub(crate) struct View<'a, M: Machine> {
    pub(crate) state: Option<&'a M>,
    pub(crate) data: Option<&'a M::Data>,
    pub(crate) postponed: Vec<&'a M::Event>,
    pub(crate) show: Show<M>,
    pub(crate) inspection: Inspection,
}

/// A question to be answered in the machine's task, at rest, and what is to be changed there: both
/// wait in the mailbox alike.
pub(crate) enum Question<M: Machine> {
    Look(Looking<M>),
    /// Suspends it or has it go on (N72).
    Suspend(bool, Reply<()>),
    /// Another state in place of its own, if there is one, and whatever is done to the data (N15).
    Replace(Replacing<M>, Reply<(), Panic>),
    /// To be written down (N74).
    #[cfg(feature = "serde")]
    Save(Writing<M>),
    /// Another way to be recorded (R130).
    Record(Recording<M>, Reply<()>),
}

pub(crate) type Looking<M> = Box<dyn for<'a> FnOnce(View<'a, M>) + Send>;

#[cfg(feature = "serde")]
pub(crate) type Writing<M> = Box<dyn for<'a> FnOnce(Saving<'a, M>) + Send>;

pub(crate) type Recording<M> = Box<dyn FnOnce(&mut Record<M>) + Send>;

pub(crate) type Replacing<M> = Box<dyn FnOnce(&M, &mut <M as Machine>::Data) -> Option<M> + Send>;
