//! What the cases share: a log, a clock that a handler can spend, and short words for outcomes.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use statem::{CallError, ExitReason};

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    /// What happened since this was last asked, joined by commas.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(", ")
    }
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Lets time pass on a paused clock without letting anybody run: how a handler takes long.
pub(crate) fn spend(time: Duration) {
    let advance = pin!(tokio::time::advance(time));
    let _ = advance.poll(&mut Context::from_waker(Waker::noop()));
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks at the paused clock"
)]
pub(crate) fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// An outcome of a call in a few words.
pub(crate) fn told<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(CallError::Stopped { reason, begun, .. }) => {
            format!("stopped: {}, begun: {begun}", short(&reason))
        }
        Err(CallError::TimedOut { begun, .. }) => format!("timed out, begun: {begun}"),
        Err(other) => format!("{other:?}"),
    }
}

/// A reason in a few words.
pub(crate) fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Other(error) => error.to_string(),
        ExitReason::Panicked {
            message, callback, ..
        } => format!("`{message}` in {callback}"),
        other => format!("{other:?}"),
    }
}
