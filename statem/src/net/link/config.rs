//! [`LinkConfig`]: the bounds of a link.

use std::time::Duration;

use crate::CREDITS;

/// The bounds of a link.
///
/// ```
/// let config = statem::net::LinkConfig::default().max_frame(64 * 1024).credits(8);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LinkConfig {
    pub(super) high_water: usize,
    pub(super) max_frame: usize,
    pub(super) credits: usize,
    pub(super) write_timeout: Option<Duration>,
}

impl LinkConfig {
    /// Bytes in the write buffer from which on [`Link::send`](super::Link::send) refuses: 64 KiB by
    /// default.
    pub fn high_water(mut self, bytes: usize) -> Self {
        self.high_water = bytes;
        self
    }

    /// Bytes of one frame, complete or not, that end the connection when there are more: 16 MiB by
    /// default.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    /// See [`LinkConfig::max_frame`].
    pub(in crate::net) fn longest_frame(&self) -> usize {
        self.max_frame
    }

    /// Frames that may be queued or postponed at once: 32 by default (N40). With 0 the link is
    /// passive: each event is asked for by [`Link::read`](super::Link::read).
    pub fn credits(mut self, frames: usize) -> Self {
        self.credits = frames;
        self
    }

    /// How long the peer may accept no byte while there are some to write; then the link ends with
    /// [`CloseReason::WriteTimeout`](super::CloseReason::WriteTimeout). There is no limit by
    /// default.
    ///
    /// It measures only while a write is blocked, and begins anew with every byte that is accepted.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = Some(limit);
        self
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        LinkConfig {
            high_water: 64 * 1024,
            max_frame: 16 * 1024 * 1024,
            credits: CREDITS,
            write_timeout: None,
        }
    }
}
