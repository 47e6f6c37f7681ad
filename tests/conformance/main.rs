//! Compares fresh cases with Erlang's gen_statem; see the documentation of the library.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use statem_conformance::case::{self, Case};
use statem_conformance::compare::{self, Comparison, Tally};
use statem_conformance::generate::{Profile, generate};
use statem_conformance::oracle::Oracle;
use statem_conformance::shrink::shrink;
use statem_conformance::{Layer, Runner, golden_set};

const USAGE: &str = "\
conformance [OPTION..]: compares statem with the gen_statem of the installed Erlang

  --cases N      so many random cases, spread over the profiles (3000)
  --seed S       of which seed, 0 to 65535 (0)
  --profile P    of one profile alone: core, full, err
  --layer L      on one layer alone: engine, driver, derive
  --only I       the case of this number alone; with --profile
  --jobs N       threads (as many as there are processors)
  --file FILE    the cases of a file
  --golden       the golden set, for which no Erlang is needed
  --record       records the golden set anew
";

/// Cases that one process of the oracle runs; they and their traces fill some 150 MB.
const BATCH: u64 = 10_000;
/// Differences that are shown.
const SHOWN: usize = 10;

struct Options {
    cases: u64,
    seed: u16,
    profiles: Vec<Profile>,
    layers: Vec<Layer>,
    only: Option<u64>,
    jobs: usize,
    what: What,
}

enum What {
    Fresh,
    File(String),
    Golden,
    Record,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprint!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = match &options.what {
        What::Fresh => fresh(&options),
        What::File(file) => of_file(file, &options),
        What::Golden => golden(&options),
        What::Record => record().map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        cases: 3000,
        seed: 0,
        profiles: Profile::ALL.to_vec(),
        layers: Layer::ALL.to_vec(),
        only: None,
        jobs: thread::available_parallelism().map_or(1, usize::from),
        what: What::Fresh,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--cases" => options.cases = value(&word, &mut words)?,
            "--seed" => options.seed = value(&word, &mut words)?,
            "--profile" => options.profiles = vec![value(&word, &mut words)?],
            "--layer" => options.layers = vec![value(&word, &mut words)?],
            "--only" => options.only = Some(value(&word, &mut words)?),
            "--jobs" => options.jobs = value(&word, &mut words)?,
            "--file" => options.what = What::File(value(&word, &mut words)?),
            "--golden" => options.what = What::Golden,
            "--record" => options.what = What::Record,
            _ => return Err(format!("`{word}` is no option")),
        }
    }
    if options.only.is_some() && options.profiles.len() > 1 {
        return Err("--only needs a --profile".into());
    }
    Ok(options)
}

fn value<T: FromStr>(word: &str, words: &mut impl Iterator<Item = String>) -> Result<T, String> {
    let value = words
        .next()
        .ok_or_else(|| format!("{word} needs a value"))?;
    value
        .parse()
        .map_err(|_| format!("{word} {value}: that is no value for it"))
}

/// A case that differs on a layer.
struct Found {
    /// How to make it again.
    again: String,
    case: Arc<Case>,
    layer: Layer,
}

/// What all threads add to.
#[derive(Default)]
struct Totals {
    cases: u64,
    tally: Tally,
    /// The first that were found.
    found: Vec<Found>,
    error: Option<String>,
}

fn fresh(options: &Options) -> Result<bool, String> {
    let oracle = Oracle::new()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "only the person who waits is told"
    )]
    let began = Instant::now();
    let numbers = match options.only {
        Some(only) => only..only + 1,
        None => 0..options.cases.div_ceil(options.profiles.len() as u64),
    };
    let (next, total) = (AtomicU64::new(numbers.start), Mutex::new(Totals::default()));
    let cases = (numbers.end - numbers.start) * options.profiles.len() as u64;
    // Large batches, since each starts a process, and enough of them for all threads.
    let most = BATCH / options.profiles.len() as u64;
    let each = (numbers.end - numbers.start)
        .div_ceil(options.jobs.max(1) as u64)
        .clamp(1, most);
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                let worked = Runner::new()
                    .map_err(|error| error.to_string())
                    .and_then(|runner| {
                        loop {
                            let from = next.fetch_add(each, Ordering::Relaxed);
                            if from >= numbers.end || locked(&total).error.is_some() {
                                return Ok(());
                            }
                            let to = numbers.end.min(from + each);
                            batch(options, from..to, &oracle, &runner, &total)?;
                            progress(cases, &total);
                        }
                    });
                if let Err(why) = worked {
                    locked(&total).error = Some(why);
                }
            });
        }
    });
    let totals = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = totals.error {
        return Err(why);
    }
    let seconds = began.elapsed().as_secs();
    println!("{cases} cases of seed {} in {seconds} s", options.seed);
    report(&totals, &oracle)
}

/// Cases of all profiles, in one process of the oracle.
fn batch(
    options: &Options,
    numbers: std::ops::Range<u64>,
    oracle: &Oracle,
    runner: &Runner,
    total: &Mutex<Totals>,
) -> Result<(), String> {
    let each = numbers.flat_map(|number| {
        options
            .profiles
            .iter()
            .map(move |profile| (*profile, number))
    });
    let (names, cases): (Vec<_>, Vec<_>) = each
        .map(|name| (name, Arc::new(generate(options.seed, name.0, name.1))))
        .unzip();
    let again = |place: usize| {
        let (profile, number) = names[place];
        format!(
            "--seed {} --profile {profile} --only {number}",
            options.seed
        )
    };
    compare_all(&cases, &options.layers, again, oracle, runner, total)
}

fn compare_all(
    cases: &[Arc<Case>],
    layers: &[Layer],
    again: impl Fn(usize) -> String,
    oracle: &Oracle,
    runner: &Runner,
    total: &Mutex<Totals>,
) -> Result<(), String> {
    let recording = oracle.run(&golden_set::text(cases.iter().map(|case| &**case)))?;
    let traces = compare::traces(&recording);
    if traces.len() != cases.len() {
        return Err(format!(
            "{} cases have {} traces",
            cases.len(),
            traces.len()
        ));
    }
    let (mut tally, mut found) = (Tally::default(), Vec::new());
    for (place, (case, (_, trace))) in cases.iter().zip(traces).enumerate() {
        if !compare::is_as_written(case, trace) {
            return Err(format!(
                "gen_statem does not do what is written beside this:\n\n{case}\n{trace}"
            ));
        }
        for layer in layers {
            let comparison = runner.compare(case, trace, *layer);
            tally.count(*layer, &comparison);
            if comparison.difference.is_some() {
                found.push(Found {
                    again: format!("{} --layer {layer}", again(place)),
                    case: case.clone(),
                    layer: *layer,
                });
            }
        }
    }
    let mut total = locked(total);
    total.cases += cases.len() as u64;
    total.tally.add(&tally);
    total.found.append(&mut found);
    total.found.truncate(SHOWN);
    Ok(())
}

/// Tells whoever sits at a terminal how far it is.
fn progress(of: u64, total: &Mutex<Totals>) {
    let mut terminal = std::io::stderr().lock();
    if !terminal.is_terminal() {
        return;
    }
    let total = locked(total);
    let (done, different) = (total.cases, total.tally.different());
    // What cannot be shown is not needed.
    let _ = write!(terminal, "\r{done} of {of} cases, {different} different ");
    let _ = terminal.flush();
    if done == of {
        let _ = writeln!(terminal);
    }
}

fn of_file(file: &str, options: &Options) -> Result<bool, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let cases: Vec<_> = case::parse(&text)?.into_iter().map(Arc::new).collect();
    let oracle = Oracle::new()?;
    let runner = Runner::new().map_err(|error| error.to_string())?;
    let total = Mutex::new(Totals::default());
    let again = |_| format!("--file {file}");
    compare_all(&cases, &options.layers, again, &oracle, &runner, &total)?;
    let totals = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&totals, &oracle)
}

/// Prints the counts and the differences; the first one shrunk, with both traces.
fn report(totals: &Totals, oracle: &Oracle) -> Result<bool, String> {
    println!("{}", totals.tally);
    for found in &totals.found {
        println!(
            "different: cargo run --release -p statem-conformance -- {}",
            found.again
        );
    }
    if let Some(Found { case, layer, .. }) = totals.found.first() {
        let runner = Runner::new().map_err(|error| error.to_string())?;
        let compare = |cases: &[Case]| -> Result<Vec<Comparison>, String> {
            let recording = oracle.run(&golden_set::text(cases.iter()))?;
            let compared = compare::traces(&recording).into_iter().zip(cases);
            Ok(compared
                .map(|((_, trace), case)| runner.compare(&Arc::new(case.clone()), trace, *layer))
                .collect())
        };
        let small = shrink((**case).clone(), |cases| {
            let compared = compare(cases)?;
            Ok(compared
                .iter()
                .map(|comparison| comparison.difference.is_some())
                .collect())
        })?;
        println!("\nthe first, shrunk, on layer {layer}:\n\n{small}");
        for difference in compare(&[small])?
            .into_iter()
            .filter_map(|compared| compared.difference)
        {
            println!("{difference}");
        }
    }
    Ok(totals.tally.different() == 0)
}

fn golden(options: &Options) -> Result<bool, String> {
    let runner = Runner::new().map_err(|error| error.to_string())?;
    let mut tally = Tally::default();
    for (case, trace) in golden_set::all()? {
        for layer in &options.layers {
            let comparison = runner.compare(&case, &trace, *layer);
            tally.count(*layer, &comparison);
            if let (1, Some(difference)) = (tally.different(), comparison.difference) {
                println!("the first difference, on layer {layer}:\n\n{case}\n{difference}");
            }
        }
    }
    println!("{tally}");
    Ok(tally.different() == 0)
}

fn record() -> Result<(), String> {
    let oracle = Oracle::new()?;
    for profile in Profile::ALL {
        let file = format!("{}/golden/{profile}.txt", env!("CARGO_MANIFEST_DIR"));
        let recording = golden_set::record(profile, &oracle)?;
        std::fs::write(&file, recording).map_err(|error| format!("{file}: {error}"))?;
        println!("{file}");
    }
    Ok(())
}

fn locked(total: &Mutex<Totals>) -> std::sync::MutexGuard<'_, Totals> {
    total.lock().unwrap_or_else(PoisonError::into_inner)
}
