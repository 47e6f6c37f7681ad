//! What a server tells the log.

/// An event for the log, of the target `statem::net::server`.
macro_rules! tell {
    ($level:ident, $($field:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::event!(target: "statem::net::server", tracing::Level::$level, $($field)*);
    }};
}

pub(super) use tell;
