//! The report of an abnormal end (R99, R100).

#[cfg(not(feature = "tracing"))]
use crate::{driver::task::Driver, handler::Handler, reason::ExitReason};

#[cfg(feature = "tracing")]
mod traced {
    use crate::driver::task::Driver;
    use crate::engine::timeout_name;
    use crate::handler::Handler;
    use crate::reason::ExitReason;
    use crate::record::{caught, shown};
    use crate::trace::{crash, quietly};

    /// The most events of a queue, and timeouts, that a report names.
    const NAMED: usize = 16;

    /// What is to be reported, as it was before anything was dropped. Values are in it only if the
    /// builder was given a function that shows them (R131).
    pub(in super::super) struct Report {
        state: &'static str,
        state_shown: Option<String>,
        data: Option<String>,
        event: Option<String>,
        queue: String,
        postponed: String,
        timeouts: String,
        log: String,
    }

    impl Report {
        /// `None` if the end is an ordinary one, or nobody listens.
        pub(in super::super) fn new<M: Handler>(
            driver: &Driver<M>,
            reason: &ExitReason,
        ) -> Option<Self> {
            let listens = || quietly(|| tracing::enabled!(tracing::Level::ERROR)).unwrap_or(false);
            if reason.is_normal() || !listens() {
                return None;
            }
            let engine = &driver.engine;
            let show = engine.show();
            let running = engine.timeouts();
            let all = running.len();
            let timeouts = running.into_iter().take(NAMED).map(|running| {
                // Where the driver is dropped there may be no clock any more.
                caught(|| {
                    let name = timeout_name(running.origin);
                    match running.deadline {
                        Some(at) => format!("{name} in {:?}", at.saturating_sub(driver.now())),
                        None => format!("{name} never"),
                    }
                })
            });
            let timeouts: Vec<_> = timeouts.collect();
            let [queue, postponed] = engine.waiting_texts(NAMED);
            Some(Report {
                state: engine.state_name(),
                state_shown: engine.state().and_then(|state| shown(show.state, state)),
                data: engine.data().and_then(|data| shown(show.data, data)),
                event: engine.last_event(),
                queue: list(&queue, engine.queued().count()),
                postponed: list(&postponed, engine.postponed().count()),
                timeouts: list(&timeouts, all),
                log: list(&engine.log(), 0),
            })
        }

        pub(in super::super) fn log(self, machine: &'static str, reason: &ExitReason) {
            crash!(
                machine,
                state = self.state,
                reason = %reason,
                state_value = self.state_shown.as_deref(),
                data = self.data.as_deref(),
                event = self.event.as_deref(),
                queue = %self.queue,
                postponed = %self.postponed,
                timeouts = %self.timeouts,
                log = %self.log,
                "the machine ended abnormally"
            );
        }
    }

    /// The items, and how many more there are of them.
    fn list(items: &[String], all: usize) -> String {
        let more = all.saturating_sub(items.len());
        let named = items.join("; ");
        if more == 0 {
            named
        } else {
            format!("{named}; and {more} more")
        }
    }
}

#[cfg(feature = "tracing")]
pub(super) use traced::Report;

/// Without the feature `tracing` nobody listens.
#[cfg(not(feature = "tracing"))]
pub(super) enum Report {}

#[cfg(not(feature = "tracing"))]
impl Report {
    pub(super) fn new<M: Handler>(_: &Driver<M>, _: &ExitReason) -> Option<Self> {
        None
    }

    pub(super) fn log(self, _: &'static str, _: &ExitReason) {
        match self {}
    }
}
