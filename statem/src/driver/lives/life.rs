//! One life: a future that waits for the end of the one before, and then runs the machine.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shell::{Asked, Shell, control_of_end};
use crate::driver::observe::LifeEnded;
use crate::driver::task::Driver;
use crate::handler::Handler;
use crate::machine::Machine;
use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicBool, Ordering};

/// One life of a machine: a future that runs it, and ends with the reason of its end.
///
/// It first waits for the end of the life before. Dropped before it has ended, that life ends at once
/// with [`ExitReason::Aborted`].
#[must_use = "a machine runs only while its life is polled"]
pub struct Life<M: Handler> {
    driver: Driver<M>,
    shell: Arc<Shell<M>>,
    /// Of those that were made, from 1.
    number: u64,
    begun: Begun,
    owner_has_gone: Option<Arc<AtomicBool>>,
}

enum Begun {
    /// Another life may still run.
    No(Option<LifeEnded>),
    Yes,
    Ended,
}

impl<M: Handler> Life<M> {
    /// One that has not begun, of the machine of this shell.
    pub(super) fn new(driver: Driver<M>, shell: Arc<Shell<M>>) -> Self {
        let number = shell.add_life();
        Life {
            driver,
            shell,
            number,
            begun: Begun::No(None),
            owner_has_gone: None,
        }
    }

    fn is_left(&self) -> bool {
        let has_gone = self.owner_has_gone.as_ref();
        has_gone.is_some_and(|has_gone| has_gone.load(Ordering::SeqCst))
    }

    /// Whether it may begin: not as long as another life of the machine runs.
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExitReason>> {
        let published = &self.shell.handle.mailbox.published;
        loop {
            if let Some(reason) = published.stopped() {
                return Poll::Ready(Err(reason));
            }
            if self.is_left() {
                return Poll::Ready(Err(ExitReason::Shutdown));
            }
            let (ended, _) = published.lives();
            let begun = &self.shell.begun;
            if begun
                .compare_exchange(ended, ended + 1, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                return Poll::Ready(Ok(()));
            }
            let Begun::No(before) = &mut self.begun else {
                return Poll::Ready(Ok(()));
            };
            let before = before.get_or_insert_with(|| LifeEnded::after(published.clone(), ended));
            if Pin::new(before).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.begun = Begun::No(None);
        }
    }
}

impl<M: Handler> Unpin for Life<M> {}

impl<M: Handler> Future for Life<M> {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        let this = &mut *self;
        if matches!(this.begun, Begun::No(_)) {
            match this.poll_begin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(reason)) => return Poll::Ready(reason),
                Poll::Ready(Ok(())) => {
                    this.begun = Begun::Yes;
                    this.shell.restart();
                    let mailbox = &this.shell.handle.mailbox;
                    mailbox.published.starting();
                    mailbox.begin();
                    // After it: whoever asks from here on finds a life that runs.
                    match this.shell.has_begun(this.number) {
                        Asked::Over | Asked::No => {}
                        Asked::ShutDown => mailbox.end_life(control_of_end()),
                        Asked::Kill => mailbox.kill(),
                    }
                    // Whoever left before this found no life of it to let go.
                    if this.is_left() {
                        mailbox.let_go();
                    }
                }
            }
        }
        if this.driver.poll_turn(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(this.end())
    }
}

impl<M: Handler> Life<M> {
    fn end(&mut self) -> ExitReason {
        match std::mem::replace(&mut self.begun, Begun::Ended) {
            Begun::Yes => self.driver.end_life(),
            Begun::No(_) | Begun::Ended => {
                let (_, reason) = self.shell.handle.mailbox.published.lives();
                reason.unwrap_or(ExitReason::Aborted)
            }
        }
    }
}

impl<M: Handler> Drop for Life<M> {
    fn drop(&mut self) {
        if let Begun::Yes = self.begun {
            self.driver.abort();
            self.end();
        } else {
            // Of a life that was not begun there is nothing to tell, and the mailbox is another's.
            self.driver.never_begins();
        }
    }
}

impl<M> Life<M>
where
    M: Handler + Send + 'static,
    M::Event: Send,
    M::Data: Send,
{
    /// The life in a task of its own, which is spawned with the first poll of this future.
    ///
    /// Dropped before it has ended, the life is [let go](super::Lives::let_go): it ends at its next turn.
    ///
    /// # Panics
    ///
    /// When it is first polled, outside of a tokio runtime.
    pub async fn spawned(mut self) -> ExitReason {
        let mut owner = Owner {
            shell: self.shell.clone(),
            has_gone: Arc::new(AtomicBool::new(false)),
            of_ended: false,
        };
        self.owner_has_gone = Some(owner.has_gone.clone());
        // The runtime shuts down: the life has ended with it.
        let reason = tokio::spawn(self).await.unwrap_or(ExitReason::Aborted);
        owner.of_ended = true;
        reason
    }
}

/// Lets a life go that is in a task of its own.
struct Owner<M: Machine> {
    shell: Arc<Shell<M>>,
    /// Tells a life that has not begun.
    has_gone: Arc<AtomicBool>,
    of_ended: bool,
}

impl<M: Machine> Drop for Owner<M> {
    fn drop(&mut self) {
        if !self.of_ended {
            self.has_gone.store(true, Ordering::SeqCst);
            // Not if the one before still runs: but then that was let go, too. A life that begins
            // meanwhile looks at the mark once more.
            self.shell.let_go();
        }
    }
}

impl<M: Handler> fmt::Debug for Life<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Life").field(&self.shell.handle).finish()
    }
}
