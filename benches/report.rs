//! Rounds, ratios, and the table.

use std::time::{Duration, Instant};

/// One contender: runs once and gives what was measured, the nanoseconds of one operation unless
/// its section says otherwise.
pub(crate) type Contender<'a, T = f64> = Box<dyn FnMut() -> T + 'a>;

/// A part of the table with its own contenders, one of which the others are compared with.
pub(crate) struct Section {
    filter: String,
    shown: bool,
    title: &'static str,
    unit: &'static str,
    names: &'static [&'static str],
    measure: usize,
    best: fn(f64, f64) -> f64,
}

const TITLE: usize = 47;
const CELL: usize = 15;

impl Section {
    pub(crate) fn new(
        filter: &str,
        title: &'static str,
        unit: &'static str,
        names: &'static [&'static str],
    ) -> Self {
        Section {
            filter: filter.into(),
            shown: false,
            title,
            unit,
            names,
            measure: 0,
            best: f64::min,
        }
    }

    /// Compares with this contender, not with the first.
    pub(crate) fn compared_with(mut self, measure: usize) -> Self {
        self.measure = measure;
        self
    }

    /// The best round is the one with the greatest number.
    pub(crate) fn more_is_better(mut self) -> Self {
        self.best = f64::max;
        self
    }

    /// Measures a row: one unmeasured round, then `rounds`.
    pub(crate) fn row(
        &mut self,
        name: &str,
        aim: Option<f64>,
        rounds: usize,
        mut contenders: Vec<Contender<'_>>,
    ) {
        if !name.contains(&self.filter) {
            return;
        }
        let samples = measure(rounds, &mut contenders);
        self.show(name, aim.map(|aim| format!("≤ {aim:.2} ×")), &samples);
    }

    /// Shows a row of samples, a list for each contender.
    pub(crate) fn show(&mut self, name: &str, aim: Option<String>, samples: &[Vec<f64>]) {
        if !std::mem::replace(&mut self.shown, true) {
            let names = self.names.iter().map(|name| (*name).to_owned());
            println!();
            show_line(&format!("{}, {}", self.title, self.unit), names, "aim");
        }
        let cells = samples.iter().map(|of_one| {
            let best = of_one.iter().copied().reduce(self.best);
            let best = best.expect("there was a round");
            let digits = usize::from(best < 100.0);
            let ratio = ratio(of_one, &samples[self.measure]);
            format!("{best:.digits$} ({ratio:.2})")
        });
        show_line(name, cells, &aim.unwrap_or_default());
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }
}

/// One unmeasured round of all contenders, then `rounds`: a list of samples for each contender.
pub(crate) fn measure<T>(rounds: usize, contenders: &mut [Contender<'_, T>]) -> Vec<Vec<T>> {
    let count = contenders.len();
    let mut samples: Vec<_> = (0..count).map(|_| Vec::with_capacity(rounds)).collect();
    for contender in &mut *contenders {
        contender();
    }
    for round in 0..rounds {
        // Nobody always runs after the same one.
        for place in 0..count {
            let place = (place + round) % count;
            samples[place].push(contenders[place]());
        }
    }
    samples
}

/// The median over the rounds of the ratio within a round.
pub(crate) fn ratio(of_one: &[f64], of_other: &[f64]) -> f64 {
    median(
        of_one
            .iter()
            .zip(of_other)
            .map(|(one, other)| one / other)
            .collect(),
    )
}

/// The one place where the benches read the clock.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds for each of `count` operations.
pub(crate) fn each(took: Duration, count: u32) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(count)
}

fn show_line(title: &str, cells: impl Iterator<Item = String>, aim: &str) {
    print!("{title:<TITLE$}");
    for cell in cells {
        print!("{cell:>CELL$}");
    }
    println!("  {aim}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}
