//! [`Backoff`]: how long to wait before the next attempt.

use std::time::Duration;

/// The delays between attempts, such as to connect or to start a child again: random, up to a limit
/// that doubles with each.
///
/// Each delay is chosen evenly between zero and the limit, the first one too (full jitter). So a
/// thousand machines that lose their server at once do not come back at once. The limit is 100 ms
/// for the first delay, doubles from each to the next and stays at the cap, 30 s, from then on.
///
/// When to [`reset`](Backoff::reset) is the machine's matter: not when a connection is made, since
/// a peer that accepts and hangs up would be asked again without end, but when one has lived for
/// some time.
///
/// A clone has the limits and goes on where the original is, with random numbers of its own; only one
/// with a [`seed`](Backoff::seed) has the delays of the original.
///
/// ```
/// use std::time::Duration;
/// use statem::testing::Bench;
/// use statem::{Backoff, Cx, EnterCx, Handler, Next, StateMachine, keep};
///
/// /// Tries until it works, and starts over with short delays after a minute that went well.
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Backoff)]
/// enum Session {
///     #[initial]
///     #[to(Up)]
///     Down,
///     #[to(Down)]
///     Up,
/// }
///
/// enum Event {
///     Retry,
///     Stable,
///     Lost,
/// }
///
/// impl Handler for Session {
///     fn enter(&mut self, backoff: &mut Backoff, cx: &mut EnterCx<Self>) {
///         match self {
///             Self::Down => cx.state_timeout(backoff.delay(), Event::Retry),
///             Self::Up => cx.state_timeout(Duration::from_secs(60), Event::Stable),
///         }
///     }
///
///     fn handle(state: SessionAt<'_>, event: Event, backoff: &mut Backoff, _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (SessionAt::Down(s), Event::Retry) => s.go(Up),
///             (SessionAt::Up(s), Event::Lost) => s.go(Down),
///             (SessionAt::Up(_), Event::Stable) => {
///                 backoff.reset();
///                 keep()
///             }
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// let mut session = Bench::new(Down, Backoff::default().seed(1));
/// session.advance(Duration::from_millis(100));
/// session.send(Event::Lost);
/// assert_eq!(session.data().attempts(), 2);
/// session.advance(Duration::from_millis(200));
/// session.advance(Duration::from_secs(60));
/// assert_eq!(session.data().attempts(), 0);
/// ```
#[derive(Debug)]
#[must_use]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    /// What the next delay is not above.
    limit: Duration,
    attempts: u32,
    seed: Option<u64>,
    random: fastrand::Rng,
}

/// A limit below it would let a machine try again without a pause.
const SHORTEST: Duration = Duration::from_millis(1);

impl Backoff {
    /// The limit of the first delay: 100 ms by default, and 1 ms at least. Starts over.
    pub fn first(mut self, limit: Duration) -> Self {
        self.first = limit.max(SHORTEST);
        self.reset();
        self
    }

    /// The limit of all delays: 30 s by default, and 1 ms at least. Starts over.
    pub fn cap(mut self, limit: Duration) -> Self {
        self.cap = limit.max(SHORTEST);
        self.reset();
        self
    }

    /// Makes the delays a function of this number. Without it they differ from value to value. Machines
    /// that have the same seed have the same delays, unless they are children of a supervisor that
    /// gives it to all of them.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self.random = fastrand::Rng::with_seed(seed);
        self
    }

    /// How long to wait before the next attempt; the limit of the delay after it is twice as high.
    #[must_use = "each delay is longer than the one before"]
    pub fn delay(&mut self) -> Duration {
        let delay = self.up_to(self.limit);
        self.limit = self.limit.saturating_mul(2).min(self.cap);
        self.attempts = self.attempts.saturating_add(1);
        delay
    }

    /// How long to wait after a failure that time alone does not mend, such as a password that was
    /// refused: between the cap and twice the cap. Counts as an attempt and leaves the limit as it
    /// is.
    #[must_use = "it does not wait by itself"]
    pub fn slow_delay(&mut self) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        self.cap.saturating_add(self.up_to(self.cap))
    }

    /// Starts over: the next delay is one of the first again. The random numbers go on.
    pub fn reset(&mut self) {
        self.limit = self.first.min(self.cap);
        self.attempts = 0;
    }

    /// The delays since the start or the last reset. Stays at the highest number.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// A clone for the child of this number, from 1: with a seed the children's delays are functions of
    /// it that differ, and those of the first one are the seed's own.
    pub(crate) fn of_child(&self, number: u64) -> Self {
        match self.seed {
            // Far apart, whatever the seeds of others are.
            Some(seed) => {
                let apart = number.wrapping_sub(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                self.clone().seed(seed.wrapping_add(apart))
            }
            None => self.clone(),
        }
    }

    fn up_to(&mut self, limit: Duration) -> Duration {
        // Above 584 years the number has no room; nobody waits for the difference.
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.random.u64(0..=limit))
    }
}

impl Clone for Backoff {
    fn clone(&self) -> Self {
        Backoff {
            first: self.first,
            cap: self.cap,
            limit: self.limit,
            attempts: self.attempts,
            seed: self.seed,
            // Machines that are made from one value are not to come back at once.
            random: match self.seed {
                Some(_) => self.random.clone(),
                None => fastrand::Rng::new(),
            },
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        let first = Duration::from_millis(100);
        Backoff {
            first,
            cap: Duration::from_secs(30),
            limit: first,
            attempts: 0,
            seed: None,
            random: fastrand::Rng::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f19_the_count_of_attempts_and_the_limit_saturate() {
        let mut backoff = Backoff::default().seed(1);
        backoff.attempts = u32::MAX - 1;
        backoff.limit = backoff.cap;
        for _ in 0..3 {
            assert!(backoff.delay() <= Duration::from_secs(30));
            assert!(backoff.slow_delay() >= Duration::from_secs(30));
        }
        assert_eq!(backoff.attempts(), u32::MAX);
    }
}
