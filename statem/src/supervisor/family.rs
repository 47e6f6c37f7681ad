//! The children of a supervisor, and what is done with them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::decide::{self, Member, Phase, Restart, Restarts, Strategy, Verdict};
use super::error::TooManyRestarts;
use super::kid::{Ended, Kid};
use super::machine::{Event, Kind, Supervision};
use super::report::Report;
use super::spec::{Seed, Shutdown};
use super::tree::Tree;
use crate::backoff::Backoff;
use crate::context::Actions;
use crate::driver::clock;
use crate::guard::{Guard, Timer};
use crate::reason::ExitReason;
use crate::reply::Reply;
use crate::sync::Mutex;
use crate::trace::warning;

/// What a supervisor is made of, whichever life it has.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) name: Arc<str>,
    pub(super) strategy: Strategy,
    pub(super) intensity: u32,
    pub(super) period: Duration,
    pub(super) backoff: Option<Backoff>,
    pub(super) limit: Option<usize>,
}

/// Where the children of a supervisor are between two lives of it, so that their handles survive it
/// (N76).
pub(super) type Home = Mutex<Vec<Seed>>;

/// The data of a supervisor.
pub struct Family {
    config: Config,
    restarts: Restarts,
    /// By the order of their start.
    pub(super) kids: BTreeMap<u64, Kid>,
    pub(super) names: BTreeMap<Arc<str>, u64>,
    last: u64,
    /// Those who are to be started next.
    pub(super) due: BTreeSet<u64>,
    /// Those who were there first and are forgotten: they come back with the supervisor.
    gone: BTreeMap<u64, Seed>,
    /// Of those who wait to be started again, by the child that failed.
    waits: BTreeMap<u64, Timer>,
    /// Ends and restarts that have come while a group was ended, in order: at most one of each for a
    /// child.
    put_off: Vec<Event>,
    /// Those who wait until all children are ready.
    waiting: Vec<Reply<()>>,
    /// What the times in events count from.
    start: Instant,
    home: Weak<Home>,
}

/// What the supervisor is to do after the end of a child.
pub(super) enum After {
    /// Nothing, but to start who is due.
    Go,
    /// To end these, one after another, and to start these, after a while.
    Regroup(Regroup),
    GiveUp(Box<ExitReason>),
}

#[derive(Default)]
pub(super) struct Regroup {
    /// Those of them that run.
    pub(super) end: VecDeque<u64>,
    failed: u64,
    start: Vec<u64>,
    delay: Duration,
}

/// What is known of all children.
impl Family {
    pub(super) fn new(config: Config, seeds: Vec<Seed>, home: Weak<Home>) -> Self {
        let restarts = Restarts::new(config.intensity, config.period);
        let mut family = Family {
            config,
            restarts,
            kids: BTreeMap::new(),
            names: BTreeMap::new(),
            last: 0,
            due: BTreeSet::new(),
            gone: BTreeMap::new(),
            waits: BTreeMap::new(),
            put_off: Vec::new(),
            waiting: Vec::new(),
            start: clock::now().into_std(),
            home,
        };
        for seed in seeds {
            family.add(seed, true);
        }
        family
    }

    pub(super) fn add(&mut self, seed: Seed, is_first: bool) {
        self.last += 1;
        self.names.insert(seed.name.clone(), self.last);
        let kid = Kid {
            name: seed.name,
            rules: seed.rules,
            offspring: seed.offspring,
            is_first,
            phase: Phase::Due,
            waits_for: 0,
            ready: false,
            restarts: 0,
            life: Guard::inert(),
            watch: Guard::inert(),
            timer: Timer::inert(),
            asked: Vec::new(),
        };
        self.kids.insert(self.last, kid);
        self.due.insert(self.last);
    }

    pub(super) fn forget(&mut self, id: u64) {
        if let Some(kid) = self.kids.remove(&id) {
            self.names.remove(&kid.name);
            if kid.is_first && self.home.strong_count() > 0 {
                self.gone.insert(id, kid.into_seed());
            }
        }
    }

    /// Those that the end of a child may concern, in the order of their start.
    fn members(&self, id: u64) -> Vec<Member> {
        match self.config.strategy {
            Strategy::OneForOne | Strategy::Dynamic => {
                let kid = self.kids.get(&id);
                kid.map(|kid| kid.member(id)).into_iter().collect()
            }
            Strategy::OneForAll | Strategy::RestForOne => self.all_members(),
        }
    }

    fn all_members(&self) -> Vec<Member> {
        let kids = self.kids.iter();
        kids.map(|(id, kid)| kid.member(*id)).collect()
    }

    /// Who is to be ended with the supervisor, in this order.
    pub(super) fn to_end(&self) -> VecDeque<u64> {
        decide::to_end(&self.all_members()).into()
    }

    /// How many children there may be, if somebody asks for more.
    pub(super) fn limit(&self) -> Option<usize> {
        self.config.limit
    }

    pub(super) fn is_dynamic(&self) -> bool {
        self.config.strategy == Strategy::Dynamic
    }

    fn runs(&self, id: u64) -> bool {
        let kid = self.kids.get(&id);
        kid.is_some_and(|kid| matches!(kid.phase, Phase::Running | Phase::Ending))
    }

    pub(super) fn report(&self) -> (Report, Vec<Option<Tree>>) {
        let kids = self.kids.values();
        let (children, trees) = kids
            .map(|kid| ((kid.info(), None), kid.offspring.tree()))
            .unzip();
        let report = Report {
            name: self.config.name.clone(),
            strategy: self.config.strategy,
            recent: self.restarts.counted(),
            intensity: self.config.intensity,
            children,
        };
        (report, trees)
    }
}

/// Starts and restarts.
impl Family {
    /// Starts all who are due, in their order.
    pub(super) fn start_due(&mut self, cx: &mut Actions<Supervision>) {
        while let Some(id) = self.due.pop_first() {
            if let Some(kid) = self.kids.get_mut(&id) {
                kid.begin(id, self.start, cx);
            }
        }
    }

    /// Keeps an event until no group is ended any more.
    pub(super) fn put_off(&mut self, event: Event) {
        self.put_off.push(event);
    }

    /// What was put off happens.
    pub(super) fn go_on(&mut self, cx: &mut Actions<Supervision>) {
        for event in self.put_off.drain(..) {
            cx.insert(event);
        }
    }

    /// A life has ended. In a supervisor that is not about to end others.
    pub(super) fn ended(&mut self, id: u64, ended: Ended, cx: &mut Actions<Supervision>) -> After {
        let was_asked = self.put_down(id);
        if was_asked {
            self.rest(id);
            return After::Go;
        }
        let members = self.members(id);
        let Some(kid) = self.kids.get_mut(&id) else {
            return After::Go;
        };
        let verdict = decide::after_end(
            self.config.strategy,
            &members,
            id,
            ended.reason.is_normal(),
            &mut self.restarts,
            ended.at,
        );
        match verdict {
            Verdict::Rest => {
                self.rest(id);
                After::Go
            }
            Verdict::Forget => {
                self.rest(id);
                self.forget(id);
                After::Go
            }
            Verdict::Restart(group) => {
                let delay = kid.delay(
                    id,
                    ended.lived,
                    self.config.period,
                    self.config.backoff.as_ref(),
                );
                warning!(
                    supervisor = &*self.config.name,
                    child = &*kid.name,
                    reason = %ended.reason,
                    recent = self.restarts.counted(),
                    intensity = self.config.intensity,
                    milliseconds = delay.as_millis(),
                    "a child ended and is restarted"
                );
                let regroup = Regroup {
                    failed: id,
                    end: group.end.into(),
                    start: group.start,
                    delay,
                };
                if regroup.end.is_empty() {
                    self.regrouped(regroup, cx);
                    After::Go
                } else {
                    After::Regroup(regroup)
                }
            }
            Verdict::GiveUp => {
                let name = kid.name.clone();
                warning!(
                    supervisor = &*self.config.name,
                    child = &*name,
                    reason = %ended.reason,
                    "a child ended once too often, and its supervisor gives up"
                );
                After::GiveUp(Box::new(ExitReason::from(TooManyRestarts {
                    supervisor: self.config.name.clone(),
                    child: name,
                    reason: ended.reason,
                    intensity: self.config.intensity,
                    period: self.config.period,
                })))
            }
        }
    }

    /// Those of a group that were to be ended have ended: it is started, at once or after a while.
    pub(super) fn regrouped(&mut self, regroup: Regroup, cx: &mut Actions<Supervision>) {
        let Regroup {
            failed,
            start,
            delay,
            ..
        } = regroup;
        for id in start {
            // Whoever waited for this one waits in its new group.
            self.waits.remove(&id);
            if let Some(kid) = self.kids.get_mut(&id) {
                kid.restarts += 1;
                kid.offspring.restart();
                kid.phase = Phase::Waiting;
                kid.waits_for = failed;
            }
        }
        if delay.is_zero() {
            self.again(failed);
        } else {
            let timer = cx.timer(delay, Event(Kind::Again(failed)));
            self.waits.insert(failed, timer);
        }
    }

    /// Those who were to be started again with this one have waited long enough.
    pub(super) fn again(&mut self, failed: u64) {
        self.waits.remove(&failed);
        let (first, last) = match self.config.strategy {
            Strategy::OneForOne | Strategy::Dynamic => (failed, failed),
            Strategy::OneForAll => (0, u64::MAX),
            Strategy::RestForOne => (failed, u64::MAX),
        };
        for (id, kid) in self.kids.range_mut(first..=last) {
            if kid.phase == Phase::Waiting && kid.waits_for == failed {
                kid.phase = Phase::Due;
                self.due.insert(*id);
            }
        }
    }

    pub(super) fn is_ready(&mut self, id: u64) {
        if let Some(kid) = self.kids.get_mut(&id) {
            kid.watch = Guard::inert();
            kid.ready = true;
        }
        self.tell_ready();
    }

    pub(super) fn wait_ready(&mut self, reply: Reply<()>) {
        wait_with(&mut self.waiting, reply);
        self.tell_ready();
    }

    /// A supervisor that ends is not ready any more: whoever waits learns of its end.
    pub(super) fn wait_for_end(&mut self, reply: Reply<()>) {
        wait_with(&mut self.waiting, reply);
    }

    fn tell_ready(&mut self) {
        let is_ready = |kid: &Kid| match kid.phase {
            Phase::Down => true,
            Phase::Running => kid.ready,
            Phase::Due | Phase::Waiting | Phase::Ending => false,
        };
        if !self.waiting.is_empty() && self.kids.values().all(is_ready) {
            for reply in self.waiting.drain(..) {
                // Who has gone does not care.
                let _ = reply.send(());
            }
        }
    }
}

/// Ends.
impl Family {
    /// Asks a child to end.
    pub(super) fn end(&mut self, id: u64, cx: &mut Actions<Supervision>) {
        let Some(kid) = self.kids.get_mut(&id) else {
            return;
        };
        if kid.phase != Phase::Running {
            return;
        }
        kid.phase = Phase::Ending;
        kid.watch = Guard::inert();
        match kid.rules.shutdown {
            Shutdown::Within(limit) => {
                kid.offspring.shut_down();
                kid.timer = cx.timer(limit, Event(Kind::Overdue(id)));
            }
            Shutdown::Forever => kid.offspring.shut_down(),
            Shutdown::Kill => kid.kill(id, cx),
        }
    }

    /// Asks the first of these that still runs to end, unless it has been. False if none runs.
    pub(super) fn end_next(
        &mut self,
        ids: &mut VecDeque<u64>,
        cx: &mut Actions<Supervision>,
    ) -> bool {
        while let Some(first) = ids.front() {
            if self.runs(*first) {
                self.end(*first, cx);
                return true;
            }
            ids.pop_front();
        }
        false
    }

    /// A child has not ended in its time.
    pub(super) fn overdue(&mut self, id: u64, cx: &mut Actions<Supervision>) {
        if let Some(kid) = self.kids.get_mut(&id) {
            kid.kill(id, cx);
        }
    }

    pub(super) fn stuck(&self, id: u64) {
        let Some(Kid { name, .. }) = self.kids.get(&id) else {
            return;
        };
        warning!(
            supervisor = &*self.config.name,
            child = &**name,
            "a child that was killed does not end: a handler of it blocks its thread"
        );
        let _ = name;
    }

    /// A life has ended: nothing of it is left. Whether it was asked to.
    pub(super) fn put_down(&mut self, id: u64) -> bool {
        let Some(kid) = self.kids.get_mut(&id) else {
            return true;
        };
        let was_asked = kid.phase == Phase::Ending;
        self.due.remove(&id);
        kid.phase = Phase::Down;
        kid.ready = false;
        kid.life = Guard::inert();
        kid.watch = Guard::inert();
        kid.timer = Timer::inert();
        was_asked
    }

    /// A child that is down is not started again: those who wait for it are told.
    pub(super) fn rest(&mut self, id: u64) {
        let Some(kid) = self.kids.get_mut(&id) else {
            return;
        };
        kid.offspring.end();
        let asked = std::mem::take(&mut kid.asked);
        if kid.rules.restart == Restart::Temporary {
            self.forget(id);
        }
        for reply in asked {
            let _ = reply.send(());
        }
        self.tell_ready();
    }

    /// One of a group has ended, and will be started again unless it is temporary.
    pub(super) fn ended_in_group(&mut self, id: u64) {
        self.put_down(id);
        let Some(kid) = self.kids.get_mut(&id) else {
            return;
        };
        if kid.rules.restart == Restart::Temporary {
            self.rest(id);
            return;
        }
        for reply in std::mem::take(&mut kid.asked) {
            let _ = reply.send(());
        }
    }

    /// Nobody is started any more.
    pub(super) fn cancel_restarts(&mut self) {
        self.waits.clear();
        self.due.clear();
        let ids: Vec<_> = self.kids.keys().copied().collect();
        for id in ids {
            if !self.runs(id) {
                self.ended_for_good(id);
            }
        }
    }

    /// A child of a supervisor that ends has ended.
    pub(super) fn ended_for_good(&mut self, id: u64) {
        self.put_down(id);
        // One that comes back is not to say before that its children do not.
        if self.home.strong_count() == 0 {
            if let Some(kid) = self.kids.get_mut(&id) {
                kid.offspring.end();
            }
        }
    }
}

/// Adds a reply to those that wait, and drops those whose callers have gone.
pub(super) fn wait_with<E: Send + 'static>(waiting: &mut Vec<Reply<(), E>>, reply: Reply<(), E>) {
    waiting.retain(|reply| !reply.is_closed());
    waiting.push(reply);
}

impl Drop for Family {
    fn drop(&mut self) {
        let Some(home) = self.home.upgrade() else {
            return;
        };
        let mut first = std::mem::take(&mut self.gone);
        for (id, kid) in std::mem::take(&mut self.kids) {
            if kid.is_first {
                first.insert(id, kid.into_seed());
            }
        }
        home.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(first.into_values());
    }
}
