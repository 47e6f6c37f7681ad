//! `cargo run --example two_nodes`: two nodes, and a network that loses, repeats and delays what
//! they say.

use std::error::Error;
use std::process::ExitCode;

use statem_examples::two_nodes::simulation::{Promise, run};

const USAGE: &str = "usage: two_nodes [--seed N]

Tells what becomes of 40 requests between two nodes in a simulated network that
loses, repeats and delays messages and breaks in two for a while: by whether
the asker asks again, and whether the other one remembers what it has done.";

/// The lines of the story that are printed.
const LINES: usize = 24;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let seed = match words[..] {
        [] => Ok(1),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["--seed", number] => number
            .parse()
            .map_err(|_| format!("`{number}` is not a seed")),
        _ => Err(format!(
            "`{}` are not the arguments of this program",
            words.join(" ")
        )),
    };
    let seed = match seed {
        Ok(seed) => seed,
        Err(why) => {
            eprintln!("two_nodes: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match tell(seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("two_nodes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(seed: u64) -> Result<(), Box<dyn Error>> {
    let whole = run(
        Promise {
            repeats: true,
            remembers: true,
        },
        seed,
    )?;
    println!("The asker repeats and the teller remembers, with seed {seed}:");
    let lines = whole.lines();
    for line in lines.iter().take(LINES) {
        println!("{line}");
    }
    println!(
        "           .. and {} lines more\n",
        lines.len().saturating_sub(LINES)
    );
    println!(
        "                                           asked  sent  answered  unknown  late  carried out  again"
    );
    for promise in Promise::ALL {
        let counts = run(promise, seed)?.counts();
        let name = match (promise.repeats, promise.remembers) {
            (false, false) => "asked once, no memory: nothing promised",
            (false, true) => "asked once, remembered: at most once",
            (true, false) => "asked again, no memory: at least once",
            (true, true) => "asked again, remembered: once",
        };
        println!(
            "{name:<42} {:>6} {:>5} {:>9} {:>8} {:>5} {:>12} {:>6}",
            counts.asked,
            counts.sent,
            counts.answered,
            counts.unknown,
            counts.late,
            counts.carried_out,
            counts.again
        );
    }
    Ok(())
}
