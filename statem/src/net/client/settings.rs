//! The choices of whoever starts a client.

use std::time::Duration;

use crate::Backoff;
use crate::net::LinkConfig;

pub(super) struct Settings {
    pub(super) window: usize,
    pub(super) queue: usize,
    pub(super) handshake_timeout: Duration,
    pub(super) answer_timeout: Option<Duration>,
    pub(super) ping_after: Option<Duration>,
    pub(super) min_uptime: Duration,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) stop_when_refused: bool,
    pub(super) stop_on_disconnect: bool,
    pub(super) link: LinkConfig,
    pub(super) backoff: Backoff,
    pub(super) random: fastrand::Rng,
}

impl Settings {
    /// How long the next connection may live: between nine tenths and the whole of the greatest
    /// age, so that connections of one moment do not end in one.
    pub(super) fn lifetime(&mut self) -> Option<Duration> {
        let most = self.max_lifetime?;
        Some(most.mul_f64(0.9 + 0.1 * self.random.f64()))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            window: 1024,
            queue: 1024,
            handshake_timeout: Duration::from_secs(5),
            answer_timeout: Some(Duration::from_secs(10)),
            ping_after: Some(Duration::from_secs(30)),
            min_uptime: Duration::from_secs(10),
            max_lifetime: None,
            grace: Duration::from_secs(30),
            stop_when_refused: false,
            stop_on_disconnect: false,
            link: LinkConfig::default().write_timeout(Duration::from_secs(10)),
            backoff: Backoff::default(),
            random: fastrand::Rng::new(),
        }
    }
}
