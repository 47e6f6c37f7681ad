//! The arguments of the example.

use super::field::Simulation;

/// How to use it.
pub const USAGE: &str = "usage: gateway [--devices N] [--limit N] [--seconds N] [--seed N]

Simulates devices that speak to a gateway, which has a machine for each: some
fall silent, some are asked something, and the machines of some panic. The
gateway takes 99 of 100 devices at once unless --limit says otherwise. The
seconds (300) are those of a clock that jumps to the next thing to do, so the
5000 devices need a few of them. Prints counts, which balance.";

/// The most devices that may be asked for.
const DEVICES: u32 = 1_000_000;

/// Reads the arguments. `None` asks how to use it.
///
/// # Errors
///
/// What is wrong with them, in words.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Simulation>, String> {
    let mut simulation = Simulation {
        devices: 5000,
        limit: 0,
        seconds: 300,
        seed: 1,
    };
    let mut limit = None;
    while let Some(argument) = arguments.next() {
        let highest = match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--devices" | "--limit" => u64::from(DEVICES),
            "--seconds" => 86_400,
            "--seed" => u64::MAX,
            other => return Err(format!("`{other}` is not an argument of this program")),
        };
        let lowest = u64::from(argument != "--seed");
        let text = arguments
            .next()
            .ok_or_else(|| format!("{argument} needs a number"))?;
        let number = text.parse().ok();
        let number = number.filter(|number| (lowest..=highest).contains(number));
        let number = number.ok_or_else(|| {
            format!("`{text}` is not a number from {lowest} to {highest}, as {argument} needs")
        })?;
        match argument.as_str() {
            "--devices" => simulation.devices = narrow(number)?,
            "--limit" => limit = Some(narrow(number)?),
            "--seconds" => simulation.seconds = narrow(number)?,
            _ => simulation.seed = number,
        }
    }
    let all_but_some = simulation.devices - simulation.devices / 100;
    simulation.limit = limit.unwrap_or(all_but_some) as usize;
    Ok(Some(simulation))
}

fn narrow(number: u64) -> Result<u32, String> {
    u32::try_from(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Option<Simulation>, String> {
        parse(words.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn arguments_say_what_to_simulate() {
        let default = Simulation {
            devices: 5000,
            limit: 4950,
            seconds: 300,
            seed: 1,
        };
        assert_eq!(parsed(&[]), Ok(Some(default)));
        let words = ["--seed", "0", "--devices", "20", "--seconds", "5"];
        let small = Simulation {
            devices: 20,
            limit: 20,
            seconds: 5,
            seed: 0,
        };
        assert_eq!(parsed(&words), Ok(Some(small)));
        let limited = parsed(&["--limit", "3"]).map(|found| found.map(|found| found.limit));
        assert_eq!(limited, Ok(Some(3)));
        assert_eq!(parsed(&["--devices", "20", "--help"]), Ok(None));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (words, named) in [
            (&["--device", "9"][..], "`--device`"),
            (&["9"], "`9`"),
            (&["--devices"], "--devices needs"),
            (&["--devices", "many"], "`many`"),
            (&["--devices", "0"], "`0`"),
            (&["--limit", "1000001"], "`1000001`"),
            (&["--seconds", "-1"], "`-1`"),
        ] {
            let error = parsed(words).expect_err("wrong arguments");
            assert!(error.contains(named), "{words:?}: {error}");
        }
    }
}
