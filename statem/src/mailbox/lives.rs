//! The mailbox between two lives of its machine (N76, N77).

use std::collections::VecDeque;
use std::time::Duration;

use super::item::{Control, Item, Shut};
use super::{Inner, Mailbox, NEVER, wake_driver};
use crate::call_cell::Kept;
use crate::machine::Machine;
use crate::reason::ExitReason;
use crate::scope::drop_at_restart;
use crate::sync::atomic::Ordering;
use crate::watch::wake_all;

/// Through how many restarts an event is kept (N76): whatever the machine cannot live through is not
/// offered to it for ever.
const KEEP: u8 = 3;

impl<M: Machine> Mailbox<M> {
    /// A life has ended: what it had taken and not handled goes to the front again, in this order. Its
    /// ends were asked of that life and go with it; what is put from here on is for the next one.
    pub(crate) fn put_back(&self, mut items: VecDeque<Item<M>>) {
        let mut inner = self.lock();
        items.append(&mut inner.items);
        let (ends, items): (VecDeque<_>, _) = items.into_iter().partition(Item::is_end);
        inner.items = items;
        inner.count();
        (inner.stops, inner.shuts_down) = (false, false);
        // Whoever looked for room while they were taken did not see them (N53).
        self.abandon();
        self.killed.store(false, Ordering::Release);
        self.shutdown_by.store(NEVER, Ordering::Relaxed);
        let lives = self.published.lives().0 + 1;
        let replaced = inner.shut.replace(Box::new(Shut::Between { lives }));
        let parked = inner.parked.take();
        drop(inner);
        drop((ends, replaced, parked));
    }

    /// The life that runs ends at its next turn, shut down; nothing if none runs.
    pub(crate) fn let_go(&self) {
        let inner = self.lock();
        if inner.shut.is_none() {
            self.shut_down_by(Duration::ZERO);
            wake_driver(inner);
        }
    }

    /// Puts a stop or a shutdown for the life that runs; nothing if none runs.
    pub(crate) fn end_life(&self, control: Control<M>) {
        let mut inner = self.lock();
        if inner.shut.is_none() {
            let merged = inner.put_control(control);
            wake_driver(inner);
            drop(merged);
        }
    }

    /// The machine will have another life after so many. What waits is kept for that, or answered;
    /// questions are, in any case. Gives how many casts were dropped.
    pub(crate) fn restart(&self, lives: u64, keeps: bool, reason: &ExitReason) -> usize {
        let mut inner = self.lock();
        let shut = Shut::Restarting { lives, keeps };
        let replaced = inner.shut.replace(Box::new(shut));
        let mut gone = Vec::new();
        for item in std::mem::take(&mut inner.items) {
            if item.is_end() {
                inner.items.push_back(item);
                continue;
            }
            match item.kept() {
                Ok(kept) if keeps && kept.restarted() <= KEEP => {
                    inner.items.push_back(Item::Control(Control::Kept(kept)));
                }
                Ok(kept) => gone.push(Gone::Event(kept)),
                Err(control) => gone.push(Gone::Control(control)),
            }
        }
        inner.count();
        let mut wakers: Vec<_> = inner.take_askers().into_values().collect();
        if !keeps {
            let calls = inner.take_calls().into_iter();
            gone.extend(calls.map(|call| Gone::Event(Box::new(call.kept()))));
            let casts = inner.crowd.iter_mut().flat_map(|crowd| &mut crowd.senders);
            wakers.extend(casts.filter_map(|cast| cast.waker.take()));
        }
        drop(inner);
        drop(replaced);
        wake_all(wakers);
        let casts = gone.iter().filter(|gone| gone.is_cast()).count();
        for gone in gone {
            gone.answer(reason);
        }
        casts
    }

    /// The next life begins.
    pub(crate) fn begin(&self) {
        let mut inner = self.lock();
        if matches!(inner.shut.as_deref(), Some(Shut::Restarting { .. })) {
            inner.shut = None;
        }
        let admitted = inner.admit();
        drop(inner);
        wake_all(admitted);
    }
}

impl<M: Machine> Inner<M> {
    /// Why a message is not taken.
    #[inline]
    pub(super) fn shuts_out(&self) -> Option<&Shut> {
        self.shut.as_deref().filter(|shut| match shut {
            Shut::Stopped(_) => true,
            Shut::Between { .. } => false,
            Shut::Restarting { keeps, .. } => !keeps,
        })
    }

    /// Counts what is there, when no driver has any of it.
    fn count(&mut self) {
        let count = |counts: fn(&Item<M>) -> bool| {
            let items = self.items.iter().filter(|item| counts(item));
            items.count().try_into().unwrap_or(u32::MAX)
        };
        (self.messages, self.questions) = (count(Item::is_message), count(Item::is_question));
    }
}

/// What a restart ends.
enum Gone<M: Machine> {
    Event(Box<Kept<M::Event>>),
    Control(Control<M>),
}

impl<M: Machine> Gone<M> {
    fn is_cast(&self) -> bool {
        matches!(self, Gone::Event(kept) if !kept.is_call)
    }

    /// Without the lock: all of it is foreign code.
    fn answer(self, reason: &ExitReason) {
        let machine = M::GRAPH.name;
        match self {
            Gone::Event(kept) => {
                // No handler will get it any more (N51).
                if M::KEEP_ABANDONED {
                    kept.call.release();
                }
                drop_at_restart(machine, reason, kept);
            }
            Gone::Control(control) => drop_at_restart(machine, reason, control),
        }
    }
}
