//! What outlives a life: what is asked of the machine between two of them, and its end.

use std::sync::PoisonError;

use super::Queue;
use crate::driver::handle::{Handle, drains};
use crate::engine::drop_at_end;
use crate::machine::Machine;
use crate::mailbox::Control;
use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::trace::warning;

/// What outlives a life; the last to hold it ends the machine.
pub(super) struct Shell<M: Machine> {
    /// Strong, so that a machine does not end because nobody happens to hold a handle (N58).
    pub(super) handle: Handle<M>,
    queue: Queue,
    /// Lives that were begun: the next one begins when as many have ended.
    pub(super) begun: AtomicU64,
    /// Owns the machine's name in a registry (N61 step 9).
    name: Mutex<Option<Box<dyn Send>>>,
    /// Lives that had ended when a restart was last said.
    said: AtomicU64,
    latest: Mutex<Latest>,
}

/// The life that was made last. What is asked of one that was not polled yet is kept here and not in
/// the mailbox, where the life after it would find it.
#[derive(Default)]
struct Latest {
    number: u64,
    /// Whether any life has begun. Before that the mailbox is open, though nobody is there to end.
    any_has_begun: bool,
    asked: Asked,
    /// Why another one could not be made after it.
    failed: Option<ExitReason>,
}

/// How a life is to end that has not begun.
#[derive(Clone, Copy, Default)]
pub(super) enum Asked {
    /// It has begun, or was not made.
    #[default]
    Over,
    No,
    ShutDown,
    Kill,
}

impl<M: Machine> Shell<M> {
    pub(super) fn new(handle: Handle<M>, queue: Queue) -> Self {
        Shell {
            handle,
            queue,
            begun: AtomicU64::new(0),
            name: Mutex::new(None),
            said: AtomicU64::new(0),
            latest: Mutex::default(),
        }
    }

    /// Another life was made, after all others. Its number.
    pub(super) fn add_life(&self) -> u64 {
        let mut latest = self.latest();
        latest.number += 1;
        latest.asked = Asked::No;
        let failed = latest.failed.take();
        let number = latest.number;
        drop(latest);
        drop(failed);
        number
    }

    /// None could be made.
    pub(super) fn start_failed(&self, reason: ExitReason) {
        let before = self.latest().failed.replace(reason);
        drop(before);
    }

    /// Asks the life that was made last, if it has not begun. Whether a life may run that is to be asked
    /// as well.
    pub(super) fn ask(&self, how: Asked) -> bool {
        let mut latest = self.latest();
        latest.asked = match (latest.asked, how) {
            (Asked::Over, _) => Asked::Over,
            (Asked::Kill, _) => Asked::Kill,
            (Asked::No | Asked::ShutDown, how) => how,
        };
        latest.any_has_begun
    }

    /// What was asked of the life of this number, which has begun.
    pub(super) fn has_begun(&self, number: u64) -> Asked {
        let mut latest = self.latest();
        latest.any_has_begun = true;
        if latest.number == number {
            std::mem::take(&mut latest.asked)
        } else {
            Asked::Over
        }
    }

    pub(super) fn let_go(&self) {
        let any_has_begun = self.latest().any_has_begun;
        if any_has_begun {
            self.handle.mailbox.let_go();
        }
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn restart(&self) {
        let mailbox = &self.handle.mailbox;
        let (ended, reason) = mailbox.published.lives();
        let reopened = mailbox.published.reopen();
        if self.said.swap(ended, Ordering::AcqRel) == ended && !reopened {
            return;
        }
        let reason = reason.unwrap_or(ExitReason::Aborted);
        mailbox.published.restarting();
        let casts = mailbox.restart(ended, self.queue == Queue::Keep, &reason);
        if casts > 0 {
            warning!(
                machine = M::GRAPH.name,
                casts,
                "casts that waited for a machine were dropped when it was restarted"
            );
        }
    }

    /// What is left of N61 when the last life has ended.
    pub(super) fn end(&self) {
        let mailbox = &self.handle.mailbox;
        let failed = self.latest().failed.clone();
        let reason = failed
            .or_else(|| mailbox.published.lives().1)
            .unwrap_or(ExitReason::Aborted);
        mailbox.close(&reason);
        for item in mailbox.take_closed() {
            drop_at_end(M::GRAPH.name, &reason, item);
        }
        let name = self.name().take();
        drop_at_end(M::GRAPH.name, &reason, name);
        mailbox.published.stop(reason);
    }

    pub(super) fn name(&self) -> MutexGuard<'_, Option<Box<dyn Send>>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Drop for Shell<M> {
    fn drop(&mut self) {
        self.end();
    }
}

/// What has a machine end by itself.
pub(super) fn control_of_end<M: Machine>() -> Control<M> {
    if drains::<M>() {
        Control::Shutdown
    } else {
        Control::Stop(Box::new(ExitReason::Shutdown))
    }
}
