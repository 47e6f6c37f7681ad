//! The supervisor as a machine.

use std::collections::VecDeque;

use super::error::ChildError;
use super::family::{After, Family, Regroup};
use super::kid::Ended;
use super::report::Report;
use super::spec::Seed;
use super::tree::Tree;
use crate as statem;
use crate::context::{Cx, EnterCx};
use crate::driver::Builder;
use crate::handler::Handler;
use crate::reason::ExitReason;
use crate::reply::Reply;
use crate::transition::{Next, keep, postpone, stop};

/// The machine that a supervisor is.
///
/// It has this picture, and whoever drives a supervisor in a test of a handle sees these names by
/// [`Tree::status`](super::Tree::status). Its events are its own.
#[derive(statem::StateMachine)]
#[machine(event = Event, data = Family, shutdown = Event(Kind::Stop), crate = crate)]
pub enum Supervision {
    /// All is as it should be: whoever fails is started again, or waits for it.
    #[initial]
    #[to(
        Regrouping = "a child failed, others end with it",
        Stopping = "told to, or too many restarts"
    )]
    Supervising,
    /// The children that are restarted with one that failed are being ended, the last one first. What
    /// happens meanwhile waits; of requests up to 1024, and others are refused.
    #[to(Supervising = "they have ended", Stopping = "told to")]
    Regrouping(Regrouping),
    /// All children are being ended, the last one first, and then the supervisor ends.
    #[to()]
    Stopping(Stopping),
}

/// See [`Supervision::Regrouping`].
pub struct Regrouping(Regroup);

/// See [`Supervision::Stopping`].
pub struct Stopping {
    end: VecDeque<u64>,
    reason: Option<ExitReason>,
}

impl Stopping {
    fn new(reason: ExitReason) -> Self {
        Stopping {
            end: VecDeque::new(),
            reason: Some(reason),
        }
    }
}

/// What happens to a supervisor.
pub struct Event(pub(super) Kind);

/// A supervisor's machine. What it inserts is bounded by its children.
pub(super) fn builder() -> Builder<Supervision> {
    Builder::new().inserted(usize::MAX)
}

pub(super) enum Kind {
    /// A life of a child has ended.
    Ended(u64, Ended),
    Ready(u64),
    /// Those who wait with this one are to be started again.
    Again(u64),
    /// The time to end is over.
    Overdue(u64),
    /// It was killed, and still runs.
    Stuck(u64),
    Start(Box<Seed>, Reply<(), ChildError>),
    Terminate(Box<str>, Reply<(), ChildError>),
    Restart(Box<str>, Reply<(), ChildError>),
    Delete(Box<str>, Reply<(), ChildError>),
    Report(Reply<(Report, Vec<Option<Tree>>)>),
    AllReady(Reply<()>),
    Stop,
}

#[diagnostic::do_not_recommend]
impl Handler for Supervision {
    fn enter(&mut self, family: &mut Family, cx: &mut EnterCx<Self>) {
        match self {
            Self::Supervising => {
                family.start_due(cx);
                family.go_on(cx);
            }
            Self::Regrouping(Regrouping(regroup)) => {
                if let Some(first) = regroup.end.front() {
                    family.end(*first, cx);
                }
            }
            Self::Stopping(stopping) => {
                family.go_on(cx);
                family.cancel_restarts();
                stopping.end = family.to_end();
                let at_once = if family.is_dynamic() {
                    stopping.end.len()
                } else {
                    1
                };
                for id in stopping.end.iter().take(at_once) {
                    family.end(*id, cx);
                }
                if stopping.end.is_empty() {
                    cx.stop(stopping.reason.take().unwrap_or(ExitReason::Shutdown));
                }
            }
        }
    }

    fn handle(
        state: SupervisionAt<'_>,
        Event(event): Event,
        family: &mut Family,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use SupervisionAt as S;
        match (state, event) {
            // What is the same in all states.
            (_, Kind::Overdue(id)) => {
                family.overdue(id, cx);
                keep()
            }
            (_, Kind::Stuck(id)) => {
                family.stuck(id);
                keep()
            }
            (_, Kind::Report(reply)) => {
                let _ = reply.send(family.report());
                keep()
            }
            (S::Supervising(_) | S::Regrouping(_), Kind::Ready(id)) => {
                family.is_ready(id);
                keep()
            }
            (S::Supervising(_) | S::Regrouping(_), Kind::AllReady(reply)) => {
                family.wait_ready(reply);
                keep()
            }

            (S::Supervising(s), Kind::Ended(id, ended)) => match family.ended(id, ended, cx) {
                After::Go => {
                    family.start_due(cx);
                    keep()
                }
                After::Regroup(regroup) => s.go(Regrouping(regroup)),
                After::GiveUp(reason) => s.go(Stopping::new(*reason)),
            },
            (S::Supervising(_), Kind::Again(failed)) => {
                family.again(failed);
                family.start_due(cx);
                keep()
            }
            (S::Supervising(_), Kind::Start(seed, reply)) => {
                family.start(*seed, reply);
                family.start_due(cx);
                keep()
            }
            (S::Supervising(_), Kind::Terminate(name, reply)) => {
                family.terminate(&name, reply, cx);
                keep()
            }
            (S::Supervising(_), Kind::Restart(name, reply)) => {
                family.restart(&name, reply);
                family.start_due(cx);
                keep()
            }
            (S::Supervising(_), Kind::Delete(name, reply)) => {
                family.delete(&name, reply);
                keep()
            }
            (S::Supervising(s), Kind::Stop) => s.go(Stopping::new(ExitReason::Shutdown)),

            (S::Regrouping(mut s), Kind::Ended(id, _)) if s.0.end.contains(&id) => {
                family.ended_in_group(id);
                if family.end_next(&mut s.0.end, cx) {
                    return keep();
                }
                family.regrouped(std::mem::take(&mut s.0), cx);
                s.go(Supervising)
            }
            (S::Regrouping(s), Kind::Stop) => s.go(Stopping::new(ExitReason::Shutdown)),
            // Not postponed: there may be as many as there are children.
            (S::Regrouping(_), event @ (Kind::Ended(..) | Kind::Again(_))) => {
                family.put_off(Event(event));
                keep()
            }
            (
                S::Regrouping(_),
                event @ (Kind::Start(..)
                | Kind::Terminate(..)
                | Kind::Restart(..)
                | Kind::Delete(..)),
            ) => postpone(Event(event)),

            (S::Stopping(mut s), Kind::Ended(id, _)) => {
                family.ended_for_good(id);
                if family.end_next(&mut s.end, cx) {
                    keep()
                } else {
                    stop(s.reason.take().unwrap_or(ExitReason::Shutdown))
                }
            }
            (
                S::Stopping(_),
                Kind::Start(_, reply)
                | Kind::Terminate(_, reply)
                | Kind::Restart(_, reply)
                | Kind::Delete(_, reply),
            ) => {
                let _ = reply.fail(ChildError::Stopping);
                keep()
            }
            (S::Stopping(_), Kind::AllReady(reply)) => {
                family.wait_for_end(reply);
                keep()
            }
            // Told twice, and what a child that ends has left.
            (S::Stopping(_), Kind::Stop | Kind::Again(_) | Kind::Ready(_)) => keep(),
        }
    }
}
