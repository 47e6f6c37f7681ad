//! The arguments of the example.

use std::time::Duration;

/// How to use it, in one line.
pub const USAGE: &str = "usage: redis_client [--server HOST:PORT [--seconds N]]

Sends traffic to a small server in the same process, which goes down and up twice,
or for some seconds to the one that is named, and tells what became of it.";

/// What the arguments ask for.
#[derive(Debug, PartialEq)]
pub enum Mode {
    /// A server in the same process, which goes down and up twice.
    Embedded,
    /// A server that is there already.
    Real {
        /// Host and port.
        address: String,
        /// How long to send traffic.
        time: Duration,
    },
    /// Only to be told how to use it.
    Help,
}

/// Reads the arguments.
///
/// # Errors
///
/// What is wrong with them, in words.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Mode, String> {
    let (mut server, mut seconds) = (None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--server" => {
                let address = arguments.next().ok_or("--server needs HOST:PORT")?;
                let good = address.rsplit_once(':').is_some_and(|(host, port)| {
                    !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
                });
                if !good {
                    return Err(format!("`{address}` is not HOST:PORT"));
                }
                server = Some(address);
            }
            "--seconds" => {
                let text = arguments.next().ok_or("--seconds needs a number")?;
                let number = text
                    .parse::<u64>()
                    .ok()
                    .filter(|number| (1..=86_400).contains(number));
                seconds =
                    Some(number.ok_or_else(|| format!("`{text}` is not a number of seconds"))?);
            }
            "--help" | "-h" => return Ok(Mode::Help),
            other => return Err(format!("`{other}` is not an argument of this program")),
        }
    }
    match (server, seconds) {
        (None, None) => Ok(Mode::Embedded),
        (None, Some(_)) => Err("--seconds goes with --server".to_owned()),
        (Some(address), seconds) => Ok(Mode::Real {
            address,
            time: Duration::from_secs(seconds.unwrap_or(8)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Mode, String> {
        parse(words.iter().map(|&word| word.to_owned()))
    }

    #[test]
    fn arguments_say_what_to_do() {
        assert_eq!(parsed(&[]), Ok(Mode::Embedded));
        let real = |time| Mode::Real {
            address: "localhost:6379".to_owned(),
            time: Duration::from_secs(time),
        };
        assert_eq!(parsed(&["--server", "localhost:6379"]), Ok(real(8)));
        assert_eq!(
            parsed(&["--seconds", "3", "--server", "localhost:6379"]),
            Ok(real(3))
        );
        assert_eq!(parsed(&["--help"]), Ok(Mode::Help));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (words, named) in [
            (&["--sever"][..], "`--sever`"),
            (&["--server"], "HOST:PORT"),
            (&["--server", "localhost"], "`localhost`"),
            (&["--server", ":6379"], "`:6379`"),
            (&["--server", "localhost:0"], "`localhost:0`"),
            (&["--server", "localhost:99999"], "`localhost:99999`"),
            (&["--server", "a:1", "--seconds", "0"], "`0`"),
            (&["--seconds", "3"], "--server"),
        ] {
            let error = parsed(words).expect_err("wrong arguments");
            assert!(error.contains(named), "{words:?}: {error}");
        }
    }
}
