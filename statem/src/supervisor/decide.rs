//! What a supervisor decides, as functions of what it knows: no clock, no task, no machine.

use std::collections::VecDeque;
use std::time::Duration;

/// Who is restarted with a child that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// That child alone.
    #[default]
    OneForOne,
    /// All children: the others are ended first, the last one started first, and then all are started
    /// in their order.
    OneForAll,
    /// That child and those that were started after it, likewise.
    RestForOne,
    /// That child alone; the children have no order among them, and are ended all at once. For many
    /// children that come and go at run time (OTP's `simple_one_for_one`).
    Dynamic,
}

/// Which ends of a child are to be followed by a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// All.
    #[default]
    Permanent,
    /// Those with a reason that is not [normal](crate::ExitReason::is_normal). A child that ended
    /// normally stays in the list, and is started again with its group; a [`Strategy::Dynamic`]
    /// supervisor has no groups, and forgets it.
    Transient,
    /// None. It is forgotten when it ends, also where its group is restarted.
    Temporary,
}

/// What a child is doing, as far as the rules go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is to be started next.
    Due,
    /// It waits for its time to be started again.
    Waiting,
    Running,
    /// It was asked to end.
    Ending,
    /// It has ended, and nobody starts it again unless asked to.
    Down,
}

/// A child, as far as the rules go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) id: u64,
    pub(super) restart: Restart,
    pub(super) phase: Phase,
}

/// What follows the end of a child.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It stays in the list.
    Rest,
    /// It leaves the list.
    Forget,
    Restart(Group),
    /// There were too many restarts: the supervisor ends.
    GiveUp,
}

/// Who is restarted together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// To be ended first, one after another, in this order.
    pub(super) end: Vec<u64>,
    /// To be started then, in this order.
    pub(super) start: Vec<u64>,
}

/// What follows an end that nobody asked for. `members` are in the order of their start and `failed`
/// is one of them; a restart is counted at `now`.
pub(super) fn after_end(
    strategy: Strategy,
    members: &[Member],
    failed: u64,
    is_normal: bool,
    restarts: &mut Restarts,
    now: Duration,
) -> Verdict {
    let Some(place) = members.iter().position(|member| member.id == failed) else {
        return Verdict::Rest;
    };
    match members[place].restart {
        Restart::Temporary => Verdict::Forget,
        Restart::Transient if is_normal && strategy == Strategy::Dynamic => Verdict::Forget,
        Restart::Transient if is_normal => Verdict::Rest,
        Restart::Permanent | Restart::Transient => {
            if restarts.count(now) {
                Verdict::Restart(group(strategy, members, place))
            } else {
                Verdict::GiveUp
            }
        }
    }
}

/// Who is restarted with the member in this place.
fn group(strategy: Strategy, members: &[Member], failed: usize) -> Group {
    let members = match strategy {
        Strategy::OneForOne | Strategy::Dynamic => &members[failed..=failed],
        Strategy::OneForAll => members,
        Strategy::RestForOne => &members[failed..],
    };
    let start = members.iter();
    let start = start.filter(|member| member.restart != Restart::Temporary);
    Group {
        end: to_end(members),
        start: start.map(|member| member.id).collect(),
    }
}

/// Who is to be ended, in this order: those that run, the last one started first.
pub(super) fn to_end(members: &[Member]) -> Vec<u64> {
    let runs = |member: &&Member| matches!(member.phase, Phase::Running | Phase::Ending);
    let running = members.iter().rev().filter(runs);
    running.map(|member| member.id).collect()
}

/// How many restarts there were of late, and how many there may be.
#[derive(Debug)]
pub(super) struct Restarts {
    pub(super) intensity: u32,
    pub(super) period: Duration,
    /// At most one more than there may be.
    recent: VecDeque<Duration>,
}

impl Restarts {
    pub(super) fn new(intensity: u32, period: Duration) -> Self {
        Restarts {
            intensity,
            period,
            recent: VecDeque::new(),
        }
    }

    /// Counts a restart. False if it is one too many within the period, which ends at `now` and has
    /// its first instant in it, as OTP's.
    pub(super) fn count(&mut self, now: Duration) -> bool {
        self.forget_before(now);
        self.recent.push_back(now);
        self.recent.len() <= self.intensity as usize
    }

    /// Those that counted when the last one was.
    pub(super) fn counted(&self) -> usize {
        self.recent.len()
    }

    fn forget_before(&mut self, now: Duration) {
        let since = now.saturating_sub(self.period);
        while self.recent.front().is_some_and(|at| *at < since) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
