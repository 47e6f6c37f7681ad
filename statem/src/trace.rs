//! Log events: tracing where the feature is on, nothing where it is off.

use std::any::Any;
#[cfg(feature = "tracing")]
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::reason::message;

/// Something a person should look at.
macro_rules! warning {
    ($($field:tt)*) => {{
        #[cfg(feature = "tracing")]
        crate::trace::quietly(|| tracing::warn!($($field)*));
    }};
}

/// A machine ended abnormally (R99).
#[cfg(all(feature = "tokio", feature = "tracing"))]
macro_rules! crash {
    ($($field:tt)*) => {{
        crate::trace::quietly(|| tracing::error!($($field)*));
    }};
}

/// What a machine does, for those who had it traced (R128).
#[cfg(feature = "tokio")]
macro_rules! traced {
    ($($field:tt)*) => {{
        #[cfg(feature = "tracing")]
        crate::trace::quietly(|| tracing::info!(target: "statem::trace", $($field)*));
    }};
}

#[cfg(all(feature = "tokio", feature = "tracing"))]
pub(crate) use crash;
#[cfg(feature = "tokio")]
pub(crate) use traced;
pub(crate) use warning;

/// Runs what listens to the log: foreign code, which formats values of the user's. A panic in it is
/// none of the machine's; `None` then.
#[cfg(feature = "tracing")]
pub(crate) fn quietly<T>(listens: impl FnOnce() -> T) -> Option<T> {
    let heard = catch_unwind(AssertUnwindSafe(listens));
    // Its drop may panic too.
    heard.map_err(std::mem::forget).ok()
}

/// Whether anybody listens to warnings: what is only measured for one costs nothing otherwise.
#[cfg(feature = "tokio")]
pub(crate) fn warns() -> bool {
    #[cfg(feature = "tracing")]
    let warns = tracing::level_filters::LevelFilter::current() >= tracing::Level::WARN;
    #[cfg(not(feature = "tracing"))]
    let warns = false;
    warns
}

/// Logs a panic of foreign code that is no business of the machine's.
#[cold]
pub(crate) fn panic_in_drop(
    machine: &'static str,
    payload: Box<dyn Any + Send>,
    what: &'static str,
) {
    let message = message(&*payload);
    warning!(machine, message = &*message, "{what}");
    let _ = (machine, message, what);
    // Its drop may panic too.
    std::mem::forget(payload);
}
