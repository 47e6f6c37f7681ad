//! The arguments of the example.

use std::net::{IpAddr, SocketAddr};

use super::message::{Kind, Name, Question};

/// How to use it.
pub const USAGE: &str = "usage: dns_client [--server ADDRESS[:PORT]]... [NAME [TYPE]]

Asks DNS servers for the records of a name; the type is A unless it is given.
Without --server a small server in the same process answers; without NAME that
one is asked for everything it has, some of which it does not answer at once.";

/// What the arguments ask for.
#[derive(Debug, PartialEq)]
pub enum Mode {
    /// To ask this, or everything that the server in the same process has.
    Embedded(Option<Question>),
    /// To ask these servers.
    Real(Vec<SocketAddr>, Question),
    /// Only to be told how to use it.
    Help,
}

/// Reads the arguments.
///
/// # Errors
///
/// What is wrong with them, in words.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Mode, String> {
    let (mut servers, mut words) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--server" => {
                let text = arguments.next().ok_or("--server needs an address")?;
                servers.push(server(&text)?);
            }
            "--help" | "-h" => return Ok(Mode::Help),
            other if other.starts_with('-') || words.len() == 2 => {
                return Err(format!("`{other}` is not an argument of this program"));
            }
            _ => words.push(argument),
        }
    }
    let mut words = words.into_iter();
    let question = match (words.next(), words.next()) {
        (None, _) => None,
        (Some(name), kind) => {
            let name: Name = name.parse().map_err(|error| format!("{error}"))?;
            let kind = kind.map_or(Ok(Kind::A), |kind| kind.parse())?;
            Some(Question::new(name, kind))
        }
    };
    match (servers.is_empty(), question) {
        (true, question) => Ok(Mode::Embedded(question)),
        (false, Some(question)) => Ok(Mode::Real(servers, question)),
        (false, None) => Err("--server goes with a name".to_owned()),
    }
}

fn server(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse().ok();
    let alone = || text.parse::<IpAddr>().ok().map(|ip| (ip, 53).into());
    with_port
        .or_else(alone)
        .filter(|address: &SocketAddr| address.port() != 0)
        .ok_or_else(|| format!("`{text}` is not an address such as 192.0.2.1 or [::1]:5353"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Mode, String> {
        parse(words.iter().map(|&word| word.to_owned()))
    }

    fn question(name: &str, kind: Kind) -> Question {
        Question::new(name.parse().expect("a name"), kind)
    }

    #[test]
    fn arguments_say_what_to_ask_and_whom() {
        let a = question("example.test", Kind::A);
        assert_eq!(parsed(&[]), Ok(Mode::Embedded(None)));
        assert_eq!(parsed(&["example.test"]), Ok(Mode::Embedded(Some(a))));
        let servers = vec![
            "127.0.0.1:53".parse().expect("an address"),
            "[::1]:5353".parse().expect("an address"),
        ];
        let mx = question("example.test", Kind::MX);
        let words = [
            "--server",
            "127.0.0.1",
            "--server",
            "[::1]:5353",
            "example.test",
            "mx",
        ];
        assert_eq!(parsed(&words), Ok(Mode::Real(servers, mx)));
        assert_eq!(parsed(&["example.test", "--help"]), Ok(Mode::Help));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (words, named) in [
            (&["--sever"][..], "`--sever`"),
            (&["--server"], "address"),
            (&["--server", "localhost"], "`localhost`"),
            (&["--server", "127.0.0.1:0"], "`127.0.0.1:0`"),
            (&["--server", "127.0.0.1"], "a name"),
            (&["a", "A", "b"], "`b`"),
            (&["a..b"], "`a..b`"),
            (&["a", "B"], "`B`"),
        ] {
            let error = parsed(words).expect_err("wrong arguments");
            assert!(error.contains(named), "{words:?}: {error}");
        }
    }
}
