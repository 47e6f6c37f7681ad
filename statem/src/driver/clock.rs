//! The one place where time is read.

use std::time::Duration;

use tokio::time::Instant;

/// The time of the runtime, which a test may have paused.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where time is read"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Time since the start of a machine.
pub(crate) fn since(start: std::time::Instant) -> Duration {
    now().into_std().saturating_duration_since(start)
}
