//! The task of a machine: turns, until it ends.

mod control;
mod patience;
mod report;
mod sources;
mod suspended;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::ready::Ready;
use super::{Init, clock};
use crate::engine::Engine;
use crate::handler::Handler;
use crate::mailbox::{self, Item, Mailbox, Message};
use crate::reason::ExitReason;
use crate::trace::{warning, warns};
use patience::Patience;

/// Messages handled in one turn (N20 d): as many as tokio lets a task receive before it has to yield.
/// What they have to write leaves in one.
const MESSAGES: usize = 128;
/// Timers that were due handled in one turn (N20 b).
const TIMERS: usize = 256;
/// Events of the machine's own handled in a row before others of the runtime get a turn (N30).
const CHAIN: usize = 256;
/// A chain of this many parts is worth a warning (N30).
const LONG_CHAIN: u16 = 100;
/// A turn that takes longer blocks the other tasks of its thread (N57).
const SLOW_TURN: Duration = Duration::from_millis(100);

/// A machine that is not spawned: a future that runs it, and ends with the reason of its end.
///
/// A poll need not be a turn: after a message has woken it, it may let other tasks go first, and
/// wakes itself.
///
/// Made by [`Builder::build`](super::Builder::build). Dropped before it has ended, the machine ends
/// at once with [`ExitReason::Aborted`], and every caller is told (N63).
#[must_use = "a machine runs only while its driver is polled"]
pub struct Driver<M: Handler> {
    engine: Engine<M>,
    mailbox: Arc<Mailbox<M>>,
    /// Items taken from the mailbox for this turn.
    batch: VecDeque<Item<M>>,
    /// Messages handled since the mailbox was told.
    handled: u16,
    /// Made with the first source.
    ready: Option<Box<Ready<M::Event>>>,
    /// Made with the first timer, and moved to an earlier deadline only: a later one is seen when
    /// it fires.
    alarm: Option<Box<Alarm>>,
    /// Events of the machine's own in a row.
    chain: u16,
    phase: Phase,
    patience: Patience,
    seldom: Option<Box<Seldom<M>>>,
    /// Handles no events (N72).
    suspended: bool,
    /// Ends without being asked: it was killed or its driver was dropped (N62, N63).
    unasked: bool,
}

/// What most machines have not, or only until they start.
struct Seldom<M: Handler> {
    /// Taken when the machine starts.
    init: Option<Init<M>>,
    /// Owns the machine's name in a registry; dropped when the machine has ended (N61 step 9).
    name: Option<Box<dyn Send>>,
}

/// The timer that wakes the driver, and whom it wakes.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    waker: Waker,
}

enum Phase {
    New,
    Running,
    Ended,
}

/// Whether a turn may go on.
#[derive(PartialEq)]
enum Flow {
    On,
    /// The machine ends or was suspended, or a chain is longer than its budget.
    Break,
}

impl<M: Handler> Driver<M> {
    pub(super) fn new(
        mut engine: Engine<M>,
        init: Option<Init<M>>,
        mailbox: Arc<Mailbox<M>>,
    ) -> Self {
        engine.attach(mailbox.published.clone(), |actions| {
            actions.set_mailbox(Arc::downgrade(&mailbox));
        });
        Driver {
            engine,
            mailbox,
            batch: VecDeque::new(),
            handled: 0,
            ready: None,
            alarm: None,
            chain: 0,
            phase: Phase::New,
            patience: Patience::default(),
            seldom: init.map(|init| {
                Box::new(Seldom {
                    init: Some(init),
                    name: None,
                })
            }),
            suspended: false,
            unasked: false,
        }
    }

    /// The machine has a name, and this owns it.
    pub(super) fn set_name(&mut self, name: Box<dyn Send>) {
        let empty = || {
            Box::new(Seldom {
                init: None,
                name: None,
            })
        };
        self.seldom.get_or_insert_with(empty).name = Some(name);
    }

    fn take_init(&mut self) -> Option<Init<M>> {
        let seldom = self.seldom.as_mut()?;
        let init = seldom.init.take();
        if seldom.name.is_none() {
            self.seldom = None;
        }
        init
    }

    /// Whoever owns the machine lets go of it: it ends at once, shut down.
    pub(super) fn let_go(&mut self) {
        if !matches!(self.phase, Phase::Ended) {
            self.engine.stop(ExitReason::Shutdown);
            self.end();
        }
    }

    /// As by the drop of the driver; the end is still to be carried out.
    pub(super) fn abort(&mut self) {
        self.stop_unasked(ExitReason::Aborted);
    }

    /// A life that never began has no end to carry out.
    pub(super) fn never_begins(&mut self) {
        self.phase = Phase::Ended;
    }

    /// Runs the machine on the task one is in, until it ends: a shorthand for awaiting the driver.
    ///
    /// Cancel safety: dropping the future ends the machine with [`ExitReason::Aborted`].
    pub async fn run(self) -> ExitReason {
        self.await
    }

    /// One turn (N20). Whether there is more to do at once.
    fn turn(&mut self) -> bool {
        // Guards that were dropped elsewhere may be all there is to do (N37).
        self.engine.tend();
        // (a) Everything that is due or waits now belongs to this turn; what comes meanwhile to a
        // later one. A clock read is a good part of a short turn, so it is read only for
        // those who ask.
        let warns = warns();
        let timed = warns || self.engine.deadline().is_some();
        let now = if timed { self.now() } else { Duration::ZERO };
        if self.batch.is_empty() {
            self.mailbox.take(&mut self.batch, MESSAGES);
            self.patience.learn(self.batch.len());
        }
        if self.continue_chain() == Flow::On {
            self.engine.collect_due(now);
            // N23: the event timeout means silence, so what is here already goes before it.
            let silence = self
                .engine
                .first_collected()
                .is_some_and(|first| self.engine.is_event_timeout(first));
            let flow = if silence {
                if self.outputs() == Flow::On && self.messages() == Flow::On {
                    self.timers()
                } else {
                    Flow::Break
                }
            } else if self.timers() == Flow::On && self.outputs() == Flow::On {
                self.messages()
            } else {
                Flow::Break
            };
            debug_assert!(flow == Flow::Break || !self.engine.has_queued());
        }
        // (e) Writes leave; senders waiting for room are let in when the turn is settled.
        self.flush();
        if warns {
            self.warn_of_a_slow_turn(now);
        }
        !self.batch.is_empty()
            || self.engine.has_queued()
            || self.engine.first_collected().is_some()
            || self.has_held()
            || self.has_woken()
    }

    /// (b) The timers that were due when the turn began, each once (N21); what is more than the budget
    /// keeps its place, so that it comes first in the next turn.
    fn timers(&mut self) -> Flow {
        for _ in 0..TIMERS {
            let Some(due) = self.engine.pop_collected() else {
                break;
            };
            if self.may_go_on() == Flow::Break {
                return Flow::Break;
            }
            let start = self.mailbox.start;
            if self.engine.fire_instance(due, &|| clock::since(start))
                && self.empty_queue() == Flow::Break
            {
                return Flow::Break;
            }
        }
        Flow::On
    }

    /// (d) Messages and control requests, in order.
    fn messages(&mut self) -> Flow {
        while let Some(item) = self.next_item() {
            match item {
                Item::Message(Message { event, call }) => {
                    self.handled += 1;
                    let start = self.mailbox.start;
                    self.engine
                        .handle_message(event, call, &|| clock::since(start));
                }
                Item::Control(control) => self.serve(control),
            }
            // Whether the machine has ended is looked at before the next item.
            if self.engine.has_queued() && self.empty_queue() == Flow::Break {
                return Flow::Break;
            }
        }
        self.may_go_on()
    }

    fn next_item(&mut self) -> Option<Item<M>> {
        if self.may_go_on() == Flow::Break {
            None
        } else {
            self.batch.pop_front()
        }
    }

    /// Handles what the machine has queued for itself (R11), up to the budget of a chain (N30).
    fn empty_queue(&mut self) -> Flow {
        self.chain = 0;
        self.go_on_with_queue()
    }

    fn go_on_with_queue(&mut self) -> Flow {
        let mut handled = 0;
        while self.may_go_on() == Flow::On {
            if handled == CHAIN && self.engine.has_queued() {
                self.chain = self.chain.saturating_add(1);
                if self.chain == LONG_CHAIN {
                    warning!(
                        machine = M::GRAPH.name,
                        state = self.engine.state_name(),
                        events = usize::from(LONG_CHAIN) * CHAIN,
                        "the machine keeps inserting events and reads no message"
                    );
                }
                return Flow::Break;
            }
            let start = self.mailbox.start;
            if !self.engine.advance(&|| clock::since(start)) {
                return Flow::On;
            }
            handled += 1;
        }
        Flow::Break
    }

    /// A chain that was broken off goes on, after the stops and questions that came meanwhile and
    /// before everything else (N30).
    fn continue_chain(&mut self) -> Flow {
        if self.engine.has_queued() {
            let mut ahead = mailbox::take_ahead(&mut self.batch);
            ahead.extend(self.mailbox.take_ahead());
            for item in ahead {
                match item {
                    Item::Control(control) if self.engine.stopped().is_none() => {
                        self.serve(control);
                    }
                    item => self.batch.push_back(item),
                }
            }
            return self.go_on_with_queue();
        }
        self.may_go_on()
    }

    /// Looked at before every transition (N55).
    fn may_go_on(&mut self) -> Flow {
        if self.is_ending() || self.suspended {
            Flow::Break
        } else {
            Flow::On
        }
    }

    fn is_ending(&self) -> bool {
        self.engine.stopped().is_some() || self.mailbox.is_killed() || self.is_overdue()
    }

    /// N59: the time in which the machine was to end by itself has passed.
    fn is_overdue(&self) -> bool {
        self.mailbox
            .shutdown_by()
            .is_some_and(|by| by <= self.now())
    }

    /// N57: a handler that blocks its thread blocks everything else on it.
    fn warn_of_a_slow_turn(&self, began: Duration) {
        let took = self.now().saturating_sub(began);
        if took > SLOW_TURN {
            warning!(
                machine = M::GRAPH.name,
                state = self.engine.state_name(),
                milliseconds = took.as_millis(),
                "a turn of the machine blocked its thread; move what takes long into a task"
            );
        }
    }

    fn now(&self) -> Duration {
        clock::since(self.mailbox.start)
    }

    /// Sleeps until the next deadline or wake. False if there is something to do already.
    fn park(&mut self, cx: &mut Context<'_>) -> bool {
        // Timers of a machine that is suspended run, but nobody waits for them (N72).
        let next = if self.suspended {
            None
        } else {
            self.engine.deadline()
        };
        let deadline = match (next, self.mailbox.shutdown_by()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        if let Some(deadline) = deadline {
            let at = self
                .mailbox
                .start
                .checked_add(deadline)
                .map(Instant::from_std);
            if at.is_some_and(|at| !self.set_alarm(at, cx)) {
                return false;
            }
        }
        self.mailbox.settle(
            std::mem::take(&mut self.handled),
            Some(cx.waker()),
            self.suspended,
        ) && self
            .ready
            .as_mut()
            .is_none_or(|ready| ready.park(cx.waker()))
            && self.engine.park_timers(cx.waker())
    }

    /// Has the driver woken at a time or earlier. False if that time has come.
    fn set_alarm(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        if let Some(alarm) = &self.alarm {
            // Most turns move deadlines to later ones: the alarm that is set will do.
            if alarm.sleep.deadline() <= at
                && !alarm.sleep.is_elapsed()
                && alarm.waker.will_wake(cx.waker())
            {
                return true;
            }
        }
        // A deadline that has come needs no timer.
        if at <= clock::now() {
            return false;
        }
        let alarm = self.alarm.get_or_insert_with(|| {
            Box::new(Alarm {
                sleep: Box::pin(tokio::time::sleep_until(at)),
                waker: cx.waker().clone(),
            })
        });
        alarm.waker.clone_from(cx.waker());
        if alarm.sleep.deadline() > at || alarm.sleep.is_elapsed() {
            alarm.sleep.as_mut().reset(at);
        }
        // Without the task's budget, which the sources may have used up: a sleep that is told to
        // wait for the next turn does not take the waker.
        pin!(tokio::task::unconstrained(alarm.sleep.as_mut()))
            .poll(cx)
            .is_pending()
    }
}

impl<M: Handler> Unpin for Driver<M> {}

impl<M: Handler> Future for Driver<M> {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        if matches!(self.phase, Phase::Ended) {
            let reason = self.mailbox.published.stopped();
            return Poll::Ready(reason.unwrap_or(ExitReason::Aborted));
        }
        ready!(self.poll_turn(cx));
        Poll::Ready(self.end())
    }
}

impl<M: Handler> Driver<M> {
    /// Takes a turn. Ready when the machine is to end, which is then to be carried out.
    #[inline]
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        catch_unwind(AssertUnwindSafe(|| self.try_turn(cx))).unwrap_or_else(|payload| {
            self.panicked(payload);
            Poll::Ready(())
        })
    }

    /// As [`Driver::poll_turn`], outside of whose callbacks there is little that can panic.
    #[inline]
    fn try_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(ready) = &self.ready {
            ready.run();
        }
        match self.phase {
            Phase::New => {
                self.phase = Phase::Running;
                if !self.mailbox.is_killed() {
                    let start = self.mailbox.start;
                    let init = self.take_init().unwrap_or_else(|| Box::new(|_, _| {}));
                    self.engine.start_with(init, &|| clock::since(start));
                    self.empty_queue();
                }
            }
            Phase::Running => {
                let is_urgent = self.is_urgent();
                if self.patience.waits(is_urgent) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            Phase::Ended => return Poll::Ready(()),
        }
        let again = if self.suspended {
            self.suspended_turn()
        } else {
            self.may_go_on() == Flow::On && self.turn()
        };
        if self.mailbox.is_killed() {
            self.stop_unasked(ExitReason::Killed);
        } else if self.is_overdue() {
            self.engine.stop(ExitReason::Shutdown);
        }
        if self.engine.stopped().is_some() {
            return Poll::Ready(());
        }
        if again || !self.park(cx) {
            self.mailbox
                .settle(std::mem::take(&mut self.handled), None, false);
            // N20: the rest of the runtime goes first.
            cx.waker().wake_by_ref();
        } else {
            self.patience.sleeps();
        }
        Poll::Pending
    }

    /// Whether there is more to do than to look for messages, or less.
    fn is_urgent(&self) -> bool {
        let is_due = |alarm: &Alarm| alarm.sleep.is_elapsed();
        self.has_woken()
            || self.suspended
            || self.mailbox.is_killed()
            || self.alarm.as_deref().is_some_and(is_due)
    }

    /// Whether sources wait to be polled.
    pub(super) fn has_woken(&self) -> bool {
        self.ready.as_ref().is_some_and(|ready| ready.woken() > 0)
    }
}

impl<M: Handler> Drop for Driver<M> {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Ended) {
            self.abort();
            self.end();
        }
    }
}
