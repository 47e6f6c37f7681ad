//! A running machine is written down, and one that was written down is run.

use super::{Builder, Driver, Handle};
use crate::engine::Engine;
use crate::error::CallError;
use crate::handler::Handler;
use crate::inspect::Question;
use crate::machine::Machine;
use crate::snapshot::{Saving, Snapshot};

impl<M: Machine> Handle<M> {
    /// Writes the machine down in its turn, at rest, and leaves it running (N74). Within the limit
    /// of a call, as [`Handle::inspect`]. Messages that wait in the mailbox are not the machine's, and
    /// not in it: [`Handle::suspend`] it first to know that nothing happens afterwards.
    ///
    /// `write` runs in the machine's task, where all else waits for it: it makes bytes or text, and
    /// what stores them comes afterwards.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use serde::{Deserialize, Serialize};
    /// # use statem::{Builder, Cx, Handler, Next, StateMachine, keep, spawn};
    /// # use statem::snapshot::{Save, Snapshot};
    /// # #[derive(StateMachine, Serialize, Deserialize)]
    /// # #[machine(event = u64, data = u64, timeout = ())]
    /// # enum Counter {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Counting,
    /// # }
    /// # impl Save for Counter {
    /// #     const VERSION: u32 = 1;
    /// # }
    /// # impl Handler for Counter {
    /// #     fn handle(_: CounterAt<'_>, number: u64, total: &mut u64, _: &mut Cx<Self>) -> Next<Self> {
    /// #         *total += number;
    /// #         keep()
    /// #     }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let counter = spawn::<Counter>(Counting, 1);
    /// counter.cast(2).await.unwrap();
    /// let text = counter.snapshot(|saving| serde_json::to_string(saving)).await.unwrap();
    ///
    /// // Elsewhere, a minute later.
    /// let snapshot: Snapshot<Counter> = serde_json::from_str(&text).unwrap();
    /// let counter = Builder::new().restore(snapshot.after(Duration::from_secs(60)));
    /// # assert_eq!(counter.snapshot(|saving| Ok::<_, ()>(*saving.saved.data)).await.unwrap(), 3);
    /// # });
    /// ```
    ///
    /// Cancel safety: dropping the future drops the answer; the machine is not disturbed.
    ///
    /// # Errors
    ///
    /// [`CallError::Failed`] with the error of `write`; [`CallError::Stopped`],
    /// [`CallError::TimedOut`] and [`CallError::Restarting`] as [`Handle::inspect`];
    /// [`CallError::NotAnswered`] if `write` panicked, which the machine survives.
    ///
    /// # Panics
    ///
    /// As [`Handle::inspect`].
    pub async fn snapshot<T, E, F>(&self, write: F) -> Result<T, CallError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Saving<'_, M>) -> Result<T, E> + Send + 'static,
    {
        self.put_question(|reply| {
            Question::Save(Box::new(move |saving| {
                if !reply.take_up() {
                    return;
                }
                match write(&saving) {
                    Ok(written) => drop(reply.send(written)),
                    Err(error) => drop(reply.fail(error)),
                }
            }))
        })
        .await
    }
}

impl<M: Handler> Builder<M> {
    /// Starts a machine from a snapshot, as a task of the current tokio runtime; see [`Snapshot`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn restore(self, snapshot: Snapshot<M>) -> Handle<M>
    where
        M: Send + 'static, // or `build_restored`, for a task that stays on its thread
        M::Event: Send,    // or `build_restored`, for a task that stays on its thread
        M::Data: Send,     // or `build_restored`, for a task that stays on its thread
    {
        let (handle, driver) = self.build_restored(snapshot);
        drop(tokio::spawn(driver));
        handle
    }

    /// As [`Builder::build`], from a snapshot. Its timeouts run from here on.
    pub fn build_restored(self, snapshot: Snapshot<M>) -> (Handle<M>, Driver<M>) {
        let handle = self.handle();
        let driver = self.driver(&handle, |limits| {
            Engine::restore_with_limits(snapshot, limits)
        });
        (handle, driver)
    }
}
