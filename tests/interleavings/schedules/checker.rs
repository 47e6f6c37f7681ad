//! Runs a scenario under many schedules.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Schedules of each scenario unless `SCHEDULES` says otherwise.
const SCHEDULES: usize = 1000;
/// The seed unless `SEED` says otherwise: the gate runs the same schedules each time.
const SEED: u64 = 4;
/// Switches that a schedule of the second kind makes against its order, at most.
const DEPTH: usize = 3;

/// Runs a scenario under half as many random schedules as `SCHEDULES` says, and under as many that
/// prefer some tasks to others and change that seldom (PCT); or under the one in `REPLAY`.
pub(crate) fn check<F>(scenario: fn() -> F)
where
    F: Future<Output = ()> + 'static,
{
    if let Ok(schedule) = std::env::var("REPLAY") {
        run(ReplayScheduler::new_from_encoded(schedule.trim()), scenario);
        return;
    }
    let schedules = number("SCHEDULES").unwrap_or(SCHEDULES);
    let seed = number("SEED").unwrap_or(SEED);
    let half = schedules.div_ceil(2);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let random = RandomScheduler::new_from_seed(seed, half);
        let pct = PctScheduler::new_from_seed(seed, DEPTH, schedules - half);
        run(random, scenario) + run(pct, scenario)
    }));
    match ran {
        Ok(ran) => assert_eq!(ran, schedules),
        Err(payload) => {
            // A thread of the test harness has the name of its test.
            let test = std::thread::current();
            let name = test.name().unwrap_or_default();
            eprintln!(
                "seed {seed}. The failing schedule alone:\n    REPLAY='<the first schedule above>' cargo \
                 test -p statem-interleavings {name} -- --exact"
            );
            resume_unwind(payload);
        }
    }
}

/// Gives the number of schedules that ran.
fn run<F>(scheduler: impl Scheduler + 'static, scenario: fn() -> F) -> usize
where
    F: Future<Output = ()> + 'static,
{
    let mut config = Config::new();
    config.stack_size = 256 * 1024;
    config.max_steps = MaxSteps::FailAfter(100_000);
    // That orderings are not checked is said in CONTRIBUTING.md.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(move || shuttle::future::block_on(scenario()))
}

fn number<N: std::str::FromStr>(variable: &str) -> Option<N> {
    let text = std::env::var(variable).ok()?;
    let Ok(number) = text.parse() else {
        panic!("{variable} is a number, not `{text}`");
    };
    Some(number)
}
