//! Rounds, ratios, and the table.

use std::time::{Duration, Instant};

/// One contender: runs once and gives the nanoseconds of one operation.
pub(crate) type Contender<'a> = Box<dyn FnMut() -> f64 + 'a>;

/// A part of the table with its own contenders, the first of which the others are compared with.
pub(crate) struct Section {
    filter: String,
    shown: bool,
    title: &'static str,
    unit: &'static str,
    names: &'static [&'static str],
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
        }
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
        let count = contenders.len();
        let mut samples = vec![Vec::with_capacity(rounds); count];
        for contender in &mut contenders {
            contender();
        }
        for round in 0..rounds {
            // Nobody always runs after the same one.
            for place in 0..count {
                let place = (place + round) % count;
                samples[place].push(contenders[place]());
            }
        }
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
            let best = of_one.iter().copied().fold(f64::INFINITY, f64::min);
            let ratios = of_one
                .iter()
                .zip(&samples[0])
                .map(|(one, first)| one / first);
            let digits = usize::from(best < 100.0);
            format!("{best:.digits$} ({:.2})", median(ratios.collect()))
        });
        show_line(name, cells, &aim.unwrap_or_default());
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }
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
