//! A bench is written down, and set up from what was written.

use std::time::Duration;

use super::Bench;
use crate::engine::Engine;
use crate::handler::Handler;
use crate::snapshot::{Saving, Snapshot};

impl<M: Handler> Bench<M> {
    /// Starts a machine from a [`Snapshot`]: its enter call has run, and what was due has fired.
    ///
    /// # Panics
    ///
    /// As [`Bench::new`].
    #[track_caller]
    pub fn restore(snapshot: Snapshot<M>) -> Self {
        let mut bench = Self::with_engine(Engine::restore(snapshot), |_, _| {});
        bench.advance(Duration::ZERO);
        bench
    }

    /// Writes the machine down, as [`Handle::snapshot`](crate::Handle::snapshot) does.
    ///
    /// # Panics
    ///
    /// If the machine has ended.
    #[track_caller]
    pub fn snapshot<T>(&self, write: impl FnOnce(&Saving<'_, M>) -> T) -> T {
        let saving = self.engine.snapshot(self.now());
        write(&saving.expect("a machine that has not ended"))
    }
}
