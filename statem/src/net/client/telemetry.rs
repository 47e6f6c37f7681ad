//! What a client tells the log.

/// An event for the log, of the target `statem::net::client`.
macro_rules! tell {
    ($level:ident, $($field:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::event!(target: "statem::net::client", tracing::Level::$level, $($field)*);
    }};
}

pub(super) use tell;

/// How long a connection has been ready.
#[derive(Clone, Copy)]
pub(super) struct Uptime {
    #[cfg(feature = "tracing")]
    since: tokio::time::Instant,
}

impl Uptime {
    pub(super) fn start() -> Self {
        Uptime {
            #[cfg(feature = "tracing")]
            since: now(),
        }
    }

    #[cfg(feature = "tracing")]
    pub(super) fn elapsed(self) -> std::time::Duration {
        now().duration_since(self.since)
    }
}

#[cfg(feature = "tracing")]
#[expect(
    clippy::disallowed_methods,
    reason = "for the log alone: nothing that the machine does depends on it"
)]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
