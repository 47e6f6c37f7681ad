//! What is asked of the driver rather than of the machine (N55), and the end (N61).

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::report::Report;
use super::{Driver, Phase};
use crate::counts::Counts;
use crate::driver::clock;
use crate::engine::{drop_at_end, timeout_name};
use crate::error::Panic;
use crate::handler::Handler;
use crate::inspect::{Inspection, Question, Replacing, View, Waiting};
use crate::mailbox::{Control, Item, Mailbox};
use crate::reason::{ExitReason, message};
use crate::reply::Reply;
use crate::scope;

impl<M: Handler> Driver<M> {
    /// Serves a control request, at rest.
    pub(super) fn serve(&mut self, control: Control<M>) {
        match control {
            Control::Stop(reason) => self.engine.stop(*reason),
            Control::NoHandles => self.engine.stop(ExitReason::Normal),
            Control::Shutdown => match catch_unwind(M::shutdown) {
                Ok(Some(event)) => {
                    let start = self.mailbox.start;
                    self.engine
                        .handle_message(event, None, &|| clock::since(start));
                }
                Ok(None) => self.engine.stop(ExitReason::Shutdown),
                Err(payload) => {
                    self.engine.stop(ExitReason::Panicked {
                        message: message(&*payload),
                        callback: "the shutdown event",
                        state: self.engine.state_name(),
                    });
                    std::mem::forget(payload);
                }
            },
            Control::Kept(kept) => {
                self.handled += 1;
                let start = self.mailbox.start;
                self.engine.handle_kept(*kept, &|| clock::since(start));
            }
            Control::Ask(question) => {
                // What is shown runs a `Debug` of the user's. A question that panics is an error
                // for its asker alone, who is told by the drop of its reply.
                let asked = catch_unwind(AssertUnwindSafe(|| {
                    scope::outside(|| self.answer(*question));
                }));
                if let Err(payload) = asked {
                    std::mem::forget(payload);
                }
            }
        }
    }

    fn answer(&mut self, question: Question<M>) {
        match question {
            Question::Look(look) => look(View {
                state: self.engine.state(),
                data: self.engine.data(),
                postponed: self.engine.postponed().collect(),
                show: self.engine.show(),
                inspection: self.inspection(),
            }),
            #[cfg(feature = "serde")]
            Question::Save(write) => {
                // Nobody is asked in a machine that has ended.
                if let Some(mut saving) = self.engine.snapshot(self.now()) {
                    // Outputs that wait since it was suspended (N73).
                    saving.saved.left_out.outputs += self.held();
                    write(saving);
                }
            }
            // N51: what an asker was told has not been done is not done later.
            Question::Suspend(suspended, reply) => {
                if reply.take_up() {
                    self.suspended = suspended;
                    let _ = reply.send(());
                }
            }
            Question::Replace(replacing, reply) => {
                if reply.take_up() {
                    self.replace(replacing, reply);
                }
            }
            Question::Record(change, reply) => {
                if reply.take_up() {
                    self.engine.change_record(change);
                    let _ = reply.send(());
                }
            }
        }
    }

    /// N15, R127: a function that panics leaves the state as it is.
    fn replace(&mut self, replacing: Replacing<M>, reply: Reply<(), Panic>) {
        let Some(made) = self.engine.replacement(replacing) else {
            return;
        };
        match made {
            Ok(state) => {
                if let Some(state) = state {
                    self.engine.replace(state);
                }
                match self.engine.stopped().cloned() {
                    // A terminal state is an end that was asked for; a `Drop` of what was replaced
                    // may have ended the machine otherwise.
                    None | Some(ExitReason::Normal) => drop(reply.send(())),
                    Some(reason) => scope::end(M::GRAPH.name, &reason, || drop(reply)),
                }
            }
            Err(text) => drop(reply.fail(Panic(format!(
                "the replacement of a state of `{}` panicked: {text}",
                M::GRAPH.name
            )))),
        }
    }

    fn inspection(&self) -> Inspection {
        let now = self.now();
        let (mailbox, senders) = self.mailbox.lengths();
        let timeouts = self.engine.timeouts().into_iter().map(|running| {
            (
                timeout_name(running.origin),
                running
                    .deadline
                    .map(|deadline| deadline.saturating_sub(now)),
            )
        });
        Inspection {
            machine: M::GRAPH.name,
            state: self.engine.state_name(),
            suspended: self.suspended,
            timeouts: timeouts.collect(),
            sources: self.engine.sources().collect(),
            waiting: Waiting {
                mailbox: mailbox.saturating_sub(self.handled.into()),
                senders,
                queue: self.engine.queued().count(),
                postponed: self.engine.postponed().count(),
            },
            counts: self.counts(),
            log: self.engine.log(),
        }
    }

    /// The engine's counts, with the requests that were removed before it saw them.
    fn counts(&self) -> Counts {
        let mut counts = self.engine.counts();
        let removed = self.mailbox.removed();
        counts.received += removed;
        counts.abandoned += removed;
        counts
    }

    /// Ends the machine without asking it (N62, N63), unless it has ended already.
    pub(super) fn stop_unasked(&mut self, reason: ExitReason) {
        if self.engine.stopped().is_none() {
            self.unasked = true;
            self.engine.stop(reason);
        }
    }

    /// What got as far as this panicked outside of every callback (N65): the `Eq` of a timeout's
    /// name, or a timer where the runtime has none.
    #[cold]
    pub(super) fn panicked(&mut self, payload: Box<dyn Any + Send>) {
        self.engine.stop(ExitReason::Panicked {
            message: message(&*payload),
            callback: "the driver",
            state: self.engine.state_name(),
        });
        std::mem::forget(payload);
    }

    /// The end, in its order (N61), each step under its own catch.
    pub(super) fn end(&mut self) -> ExitReason {
        self.end_with(End::Final)
    }

    /// The end of one of its lives: as [`Driver::end`], but what came from outside and was not
    /// consumed stays in the mailbox, which stays open (N76).
    pub(in crate::driver) fn end_life(&mut self) -> ExitReason {
        self.end_with(End::OfLife)
    }

    fn end_with(&mut self, end: End) -> ExitReason {
        // Whoever drops what is left of the order, a panic too, tells those who wait.
        let mut rest = Rest {
            mailbox: self.mailbox.clone(),
            items: Some(std::mem::take(&mut self.batch)),
            reason: ExitReason::Aborted,
            end,
        };
        // (1) to (4).
        let report = self.begin_end(&mut rest);
        // (5) to (7) Sources, state, queues, timers, mailbox.
        if end == End::OfLife {
            let kept = self.engine.take_external().into_iter();
            let kept = kept.map(|kept| Item::Control(Control::Kept(Box::new(kept))));
            let items = rest.items.take().unwrap_or_default();
            rest.items = Some(kept.chain(items).collect());
        }
        self.engine.take_apart();
        rest.settle_mailbox();
        let reason = rest.reason.clone();
        drop_at_end(M::GRAPH.name, &reason, self.take_init());
        while let Some(held) = self.pop_held() {
            drop_at_end(M::GRAPH.name, &reason, held);
        }
        // (8) The data.
        self.engine.drop_data();
        if let Some(report) = report {
            report.log(M::GRAPH.name, &reason);
        }
        // (9) Its name is free.
        let name = self.seldom.take().and_then(|seldom| seldom.name);
        drop_at_end(M::GRAPH.name, &reason, name);
        // (10) It is told.
        drop(rest);
        reason
    }

    /// What the machine itself does at its end: steps 1 to 4.
    fn begin_end(&mut self, rest: &mut Rest<M>) -> Option<Report> {
        let started = !matches!(self.phase, Phase::New);
        self.phase = Phase::Ended;
        // (1) The reason is recorded; (2) the mailbox closes.
        rest.set_reason(self.engine.stopped());
        let report = Report::new(self, &rest.reason);
        if started && !self.unasked {
            // (3) The machine is told; (4) what it still writes leaves, without waiting.
            self.engine.terminate();
            self.flush();
            // A panic in there replaces the reason (N65), also for those who come from here on.
            rest.set_reason(self.engine.stopped());
        }
        report.or_else(|| Report::new(self, &rest.reason))
    }
}

impl<M: Handler> fmt::Debug for Driver<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("machine", &M::GRAPH.name)
            .field("state", &self.engine.state_name())
            .finish_non_exhaustive()
    }
}

/// What ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The machine.
    Final,
    /// A life of it.
    OfLife,
}

/// What is left of an end for others to see: those who wait in the mailbox, and those who wait for
/// the end. Done when it is dropped, whatever happens on the way.
struct Rest<M: Handler> {
    mailbox: Arc<Mailbox<M>>,
    /// What was taken from the mailbox and not handled; `None` once those who sent it were told.
    items: Option<VecDeque<Item<M>>>,
    reason: ExitReason,
    end: End,
}

impl<M: Handler> Rest<M> {
    fn set_reason(&mut self, reason: Option<&ExitReason>) {
        if let Some(reason) = reason {
            self.reason = reason.clone();
        }
        if self.end == End::Final {
            self.mailbox.close(&self.reason);
        }
    }

    /// Step 7.
    fn settle_mailbox(&mut self) {
        let Some(items) = self.items.take() else {
            return;
        };
        match self.end {
            End::Final => {
                for item in items.into_iter().chain(self.mailbox.take_closed()) {
                    drop_at_end(M::GRAPH.name, &self.reason, item);
                }
            }
            End::OfLife => self.mailbox.put_back(items),
        }
    }
}

impl<M: Handler> Drop for Rest<M> {
    fn drop(&mut self) {
        self.settle_mailbox();
        let (published, reason) = (&self.mailbox.published, self.reason.clone());
        match self.end {
            End::Final => published.stop(reason),
            End::OfLife => published.life_ended(reason),
        }
    }
}
