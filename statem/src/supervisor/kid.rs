//! A child, as its supervisor keeps it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::decide::{Member, Phase};
use super::error::ChildError;
use super::machine::{Event, Kind, Supervision};
use super::offspring::Offspring;
use super::report::ChildInfo;
use super::spec::{Rules, Seed};
use crate::backoff::Backoff;
use crate::context::Actions;
use crate::driver::clock;
use crate::guard::{Guard, Timer};
use crate::reason::ExitReason;
use crate::reply::Reply;

/// A child that was killed and still runs for so long blocks its thread.
const STUCK: Duration = Duration::from_secs(1);

/// A child of a supervisor.
pub(super) struct Kid {
    pub(super) name: Arc<str>,
    pub(super) rules: Rules,
    pub(super) offspring: Box<dyn Offspring>,
    /// Whether it is there before the supervisor, and so comes back with it.
    pub(super) is_first: bool,
    pub(super) phase: Phase,
    /// While it waits: whose failure that was.
    pub(super) waits_for: u64,
    pub(super) ready: bool,
    pub(super) restarts: u64,
    /// Owns its life.
    pub(super) life: Guard,
    /// Waits until it is ready.
    pub(super) watch: Guard,
    /// Of the limit of its end.
    pub(super) timer: Timer,
    /// Those who have asked for its end.
    pub(super) asked: Vec<Reply<(), ChildError>>,
}

/// The end of a life of a child.
pub(super) struct Ended {
    pub(super) reason: ExitReason,
    pub(super) lived: Duration,
    pub(super) at: Duration,
}

impl Kid {
    pub(super) fn begin(&mut self, id: u64, start: Instant, cx: &mut Actions<Supervision>) {
        let life = self.offspring.begin();
        let timed = async move {
            let began = clock::now().into_std();
            let reason = life.await;
            Ended {
                reason,
                lived: clock::since(began),
                at: clock::since(start),
            }
        };
        self.phase = Phase::Running;
        self.ready = false;
        self.life = cx.task(timed, move |ended| Event(Kind::Ended(id, ended)));
        self.watch = cx.task(self.offspring.ready(), move |()| Event(Kind::Ready(id)));
    }

    /// How long to wait before the next life.
    pub(super) fn delay(
        &mut self,
        id: u64,
        lived: Duration,
        period: Duration,
        of_all: Option<&Backoff>,
    ) -> Duration {
        let backoff = match (&mut self.rules.backoff, of_all) {
            (Some(backoff), _) => backoff,
            (none, Some(of_all)) => none.insert(of_all.of_child(id)),
            (None, None) => return Duration::ZERO,
        };
        if lived >= period {
            backoff.reset();
        }
        backoff.delay()
    }

    pub(super) fn kill(&mut self, id: u64, cx: &mut Actions<Supervision>) {
        self.offspring.kill();
        self.timer = cx.timer(STUCK, Event(Kind::Stuck(id)));
    }

    pub(super) fn member(&self, id: u64) -> Member {
        Member {
            id,
            restart: self.rules.restart,
            phase: self.phase,
        }
    }

    pub(super) fn into_seed(self) -> Seed {
        Seed {
            name: self.name,
            rules: self.rules,
            offspring: self.offspring,
        }
    }

    pub(super) fn info(&self) -> ChildInfo {
        ChildInfo {
            name: self.name.clone(),
            machine: self.offspring.machine(),
            status: self.offspring.status(),
            ready: self.ready,
            restarts: self.restarts,
            queue: self.offspring.queue(),
        }
    }
}
