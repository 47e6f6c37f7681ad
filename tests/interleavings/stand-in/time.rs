//! `tokio::time`, as on a runtime whose clock is paused and does not advance by itself: time moves
//! when a scenario calls [`advance`].
//!
//! As in tokio, the clock shows a new time before the timers that are due by it fire: what happens
//! in between is for the checker to choose.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{LazyLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::sync::{Mutex, MutexGuard};

/// What all instants count from.
#[expect(clippy::disallowed_methods, reason = "a start, and not the time")]
static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

shuttle::lazy_static! {
    /// Nanoseconds since the start of the scenario.
    static ref NOW: AtomicU64 = AtomicU64::new(0);
    static ref WHEEL: Wheel = Wheel::default();
}

/// The timers of a scenario, behind a lock as in tokio.
#[derive(Default)]
struct Wheel(Mutex<Timers>);

#[derive(Default)]
struct Timers {
    /// The timers that are due by this time have fired.
    fired: Duration,
    last: u64,
    /// Those that were polled and have not fired.
    waiting: BTreeMap<u64, (Duration, Waker)>,
}

impl Wheel {
    fn lock(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `tokio::time::Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(std::time::Instant);

impl Instant {
    /// The time of the scenario.
    #[must_use]
    pub fn now() -> Self {
        Instant(*START + Duration::from_nanos(NOW.load(Ordering::SeqCst)))
    }

    /// From an instant of std's.
    #[must_use]
    pub fn from_std(instant: std::time::Instant) -> Self {
        Instant(instant)
    }

    /// As an instant of std's.
    #[must_use]
    pub fn into_std(self) -> std::time::Instant {
        self.0
    }

    /// `None` beyond the range of instants.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Instant)
    }

    fn since_start(self) -> Duration {
        self.0.saturating_duration_since(*START)
    }
}

/// Moves the clock, and then fires the timers that are due.
pub fn advance(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let now = NOW.fetch_add(nanoseconds, Ordering::SeqCst) + nanoseconds;
    let now = Duration::from_nanos(now);
    shuttle::thread::yield_now();
    let mut timers = WHEEL.lock();
    timers.fired = now;
    let (due, waiting) = std::mem::take(&mut timers.waiting)
        .into_iter()
        .partition(|(_, (deadline, _))| *deadline <= now);
    timers.waiting = waiting;
    drop(timers);
    let due: BTreeMap<_, (Duration, Waker)> = due;
    for (_, waker) in due.into_values() {
        waker.wake();
        shuttle::thread::yield_now();
    }
}

/// A timer.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        place: None,
        elapsed: false,
    }
}

/// `tokio::time::Sleep`.
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Sleep {
    deadline: Instant,
    /// Its place in the wheel, once it was polled.
    place: Option<u64>,
    elapsed: bool,
}

impl Sleep {
    /// When it fires.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it has fired. A deadline that has passed is not enough.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.elapsed
            || self
                .place
                .is_some_and(|place| !WHEEL.lock().waiting.contains_key(&place))
    }

    /// Sets another deadline. A timer in the wheel keeps its waker.
    pub fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        self.deadline = deadline;
        self.elapsed = false;
        let Some(place) = self.place else { return };
        let mut timers = WHEEL.lock();
        let due = deadline.since_start() <= timers.fired;
        match timers.waiting.get_mut(&place) {
            Some(_) if due => {
                let left = timers.waiting.remove(&place);
                drop(timers);
                if let Some((_, waker)) = left {
                    waker.wake();
                }
            }
            Some((at, _)) => *at = deadline.since_start(),
            // It had fired: its waker is used up, and the next poll leaves another one.
            None => {
                drop(timers);
                self.place = None;
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_elapsed() {
            self.elapsed = true;
            return Poll::Ready(());
        }
        let at = self.deadline.since_start();
        let mut timers = WHEEL.lock();
        if at <= timers.fired {
            drop(timers);
            self.elapsed = true;
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            timers.last += 1;
            timers.last
        });
        timers.waiting.insert(place, (at, cx.waker().clone()));
        drop(timers);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            WHEEL.lock().waiting.remove(&place);
        }
    }
}
