//! What OTP recorded, compared with what a layer did; and the count of what was compared how.

use std::fmt::{self, Write};

use crate::Layer;
use crate::case::{Case, Step};
use crate::interpreter::Log;
use crate::rule::{Touched, TouchedSet};

/// How one case went on one layer.
#[derive(Debug)]
pub struct Comparison {
    /// The rules by which the trace was translated.
    pub(crate) touched: TouchedSet,
    /// The rule by which only the beginning of the trace was compared.
    pub(crate) listed: Option<Touched>,
    /// `None` if the traces are the same, as far as they are compared.
    pub difference: Option<Difference>,
}

/// Two traces that are not the same.
#[derive(Debug)]
pub struct Difference {
    /// OTP's, translated.
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// Compares the trace that OTP recorded with what a layer left behind.
pub(crate) fn compare(case: &Case, recorded: &str, layer: Layer, log: Log) -> Comparison {
    let Translation {
        text: expected,
        rules: mut touched,
    } = translate(case, recorded, layer);
    for rule in Touched::ALL {
        if log.touched.has(rule) {
            touched.add(rule);
        }
    }
    let found = log.text;
    if let Some((place, rule)) = log.open_from {
        let same = expected.get(..place) == found.get(..place);
        return Comparison {
            touched,
            listed: Some(rule),
            difference: (!same).then_some(Difference { expected, found }),
        };
    }
    if expected == found {
        return Comparison {
            touched,
            listed: None,
            difference: None,
        };
    }
    let may = log
        .may_differ_from
        .filter(|place| expected.get(..*place) == found.get(..*place));
    Comparison {
        touched,
        listed: may.map(|_| Touched::PastTime),
        difference: may.is_none().then_some(Difference { expected, found }),
    }
}

struct Translation {
    text: String,
    rules: TouchedSet,
}

/// OTP's trace as statem is to make it.
fn translate(case: &Case, recorded: &str, layer: Layer) -> Translation {
    let mut text = String::with_capacity(recorded.len());
    let mut rules = TouchedSet::default();
    let mut entered: Option<(&str, &str)> = None;
    let mut step = None;
    for line in recorded.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words.as_slice() {
            ["H", state, kind, _, counter] => {
                entered = (*kind == "enter").then_some((*state, *counter));
            }
            ["@", place, _] => {
                step = place
                    .parse::<usize>()
                    .ok()
                    .and_then(|place| case.steps.get(place - 1));
            }
            ["Q", "tie"] => {
                rules.add(Touched::EqualDeadlines);
                continue;
            }
            ["T", "crash", ..] => {
                if let Some((state, counter)) = entered {
                    let as_they_are = format!("T crash {state} {counter}");
                    if line != as_they_are {
                        rules.add(Touched::EnterRaises);
                    }
                    text.push_str(&as_they_are);
                    text.push('\n');
                    continue;
                }
            }
            ["T", reason, state, counter] => {
                let stopped = matches!(step, Some(Step::Stop(by)) if by.as_str() == *reason);
                if layer == Layer::Driver && stopped && !matches!(*reason, "normal" | "shutdown") {
                    rules.add(Touched::StopReason);
                    let _ = writeln!(text, "T normal {state} {counter}");
                    continue;
                }
            }
            ["E", state, counter, postponed, timers] if layer == Layer::Driver => {
                let _ = writeln!(
                    text,
                    "E {state} {counter} {postponed} {}",
                    names_alone(timers)
                );
                if *timers != "tmr=-" {
                    rules.add(Touched::TimersShown);
                }
                continue;
            }
            _ => {}
        }
        text.push_str(line);
        text.push('\n');
    }
    Translation { text, rules }
}

/// `tmr=gt.p:x@9,st:y@12` without the contents.
fn names_alone(timers: &str) -> String {
    let Some(list) = timers.strip_prefix("tmr=").filter(|list| *list != "-") else {
        return timers.to_owned();
    };
    let mut names: Vec<_> = list
        .split(',')
        .map(|timer| {
            let name = timer.split(':').next().unwrap_or(timer);
            let deadline = timer.rsplit('@').next().unwrap_or("?");
            format!("{name}@{deadline}")
        })
        .collect();
    names.sort_unstable();
    format!("tmr={}", names.join(","))
}

impl fmt::Display for Difference {
    /// Both traces side by side, with a mark where they part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<40} | statem", "gen_statem, translated")?;
        let (mut expected, mut found) = (self.expected.lines(), self.found.lines());
        loop {
            let (one, other) = (expected.next(), found.next());
            if one.is_none() && other.is_none() {
                return Ok(());
            }
            let mark = if one == other { ' ' } else { '!' };
            writeln!(
                f,
                "{mark} {:<40} | {}",
                one.unwrap_or(""),
                other.unwrap_or("")
            )?;
        }
    }
}

/// How many cases were compared, and how, on each layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    layers: [LayerTally; Layer::ALL.len()],
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct LayerTally {
    /// Compared to the end, as recorded.
    as_recorded: u64,
    /// Compared to the end, translated by some rule.
    translated: u64,
    /// Compared up to a point.
    listed: u64,
    different: u64,
    rules: [u64; Touched::ALL.len()],
}

impl Tally {
    /// Counts a comparison.
    pub fn count(&mut self, layer: Layer, comparison: &Comparison) {
        let tally = &mut self.layers[layer as usize];
        for rule in Touched::ALL {
            if comparison.touched.has(rule) || comparison.listed == Some(rule) {
                tally.rules[rule as usize] += 1;
            }
        }
        *match comparison {
            Comparison {
                difference: Some(_),
                ..
            } => &mut tally.different,
            Comparison {
                listed: Some(_), ..
            } => &mut tally.listed,
            Comparison { touched, .. } if touched.is_empty() => &mut tally.as_recorded,
            Comparison { .. } => &mut tally.translated,
        } += 1;
    }

    /// Adds what another tally has counted.
    pub fn add(&mut self, other: &Tally) {
        for (tally, other) in self.layers.iter_mut().zip(&other.layers) {
            tally.as_recorded += other.as_recorded;
            tally.translated += other.translated;
            tally.listed += other.listed;
            tally.different += other.different;
            for (count, other) in tally.rules.iter_mut().zip(&other.rules) {
                *count += other;
            }
        }
    }

    /// How many comparisons found a difference.
    #[must_use]
    pub fn different(&self) -> u64 {
        self.layers.iter().map(|tally| tally.different).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for layer in Layer::ALL {
            write!(f, "{:>9}", layer.to_string())?;
        }
        writeln!(f)?;
        let mut row = |name: &str, count: &dyn Fn(&LayerTally) -> u64| {
            for tally in &self.layers {
                write!(f, "{:>9}", count(tally))?;
            }
            writeln!(f, "  {name}")
        };
        row("compared to the end, as recorded", &|tally| {
            tally.as_recorded
        })?;
        row("compared to the end, translated", &|tally| tally.translated)?;
        row("compared up to a point, and listed", &|tally| tally.listed)?;
        row("different", &|tally| tally.different)?;
        for rule in Touched::ALL {
            row(rule.label(), &|tally| tally.rules[rule as usize])?;
        }
        Ok(())
    }
}

/// The trace a person wrote for a case, as OTP would have recorded it.
pub(crate) fn expected(case: &Case) -> String {
    case.expected
        .iter()
        .fold(String::new(), |text, line| text + line + "\n")
}

/// Whether gen_statem has done what a person wrote beside a case, if one did.
#[must_use]
pub fn is_as_written(case: &Case, recorded: &str) -> bool {
    let lines = recorded.lines().filter(|line| *line != "Q tie");
    case.expected.is_empty() || lines.eq(case.expected.iter())
}

/// The traces of a recording: the name of each case, and its lines.
#[must_use]
pub fn traces(recording: &str) -> Vec<(&str, &str)> {
    let cases = recording.split("case ").skip(1);
    cases.filter_map(|trace| trace.split_once('\n')).collect()
}
