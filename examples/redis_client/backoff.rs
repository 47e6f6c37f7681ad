//! How long to wait before the next attempt: exponential, with a cap and full jitter.
//!
//! Without jitter all clients of a server that comes back would dial it at the same moment, again
//! and again.

use std::time::Duration;

/// The wait before each attempt in a row.
///
/// The random numbers come from a seed that the owner gives: the machine that asks stays a function
/// of its inputs, so a test sees the same waits every time.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    /// Attempts since the last success.
    attempts: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// Waits up to `first` before the first attempt, up to twice that before the next, and so on,
    /// never above `cap`.
    #[must_use]
    pub fn new(first: Duration, cap: Duration, seed: u64) -> Self {
        Backoff {
            first,
            cap,
            attempts: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// The wait before the next attempt: any time up to [`Backoff::bound`], all equally likely.
    pub fn delay(&mut self) -> Duration {
        let bound = self.bound();
        self.attempts = self.attempts.saturating_add(1);
        bound.mul_f64(self.random.f64())
    }

    /// The longest wait that [`Backoff::delay`] may give next.
    #[must_use]
    pub fn bound(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.attempts).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }

    /// The other side has shown that it works: the next failure is a first one.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}
