//! What happens, as lines on the screen.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::Instant;

use super::machine::{Connection, Observer};
use super::traffic::{Tally, now};

/// Prints lines with the time since the start.
#[derive(Clone, Debug)]
pub struct Timeline {
    start: Instant,
    colours: bool,
}

/// The colour of a line.
#[derive(Clone, Copy, Debug)]
enum Colour {
    Plain,
    Dim,
    Red,
    Green,
    Yellow,
}

/// A state that the client has entered.
#[derive(Debug)]
pub struct Entered {
    text: String,
    colour: Colour,
}

/// Tells of the states that a client enters, up to 256 that nobody has looked at.
#[must_use]
pub fn observer() -> (Observer, Receiver<Entered>) {
    let (sender, receiver): (Sender<Entered>, _) = mpsc::channel(256);
    let observer = move |connection: &Connection| {
        let (text, colour) = match connection {
            Connection::Disconnected(s) => (
                format!("Disconnected: {}; next attempt in {:.0?}", s.lost, s.delay),
                Colour::Red,
            ),
            Connection::Connecting => ("Connecting".to_owned(), Colour::Dim),
            Connection::Handshaking(_) => ("Handshaking".to_owned(), Colour::Dim),
            Connection::Connected(_) => ("Connected".to_owned(), Colour::Green),
        };
        // The machine never waits for the screen: a line that finds no room is left out.
        let _ = sender.try_send(Entered { text, colour });
    };
    (Box::new(observer), receiver)
}

impl Timeline {
    /// Begins now.
    #[must_use]
    pub fn new(colours: bool) -> Self {
        Timeline {
            start: now(),
            colours,
        }
    }

    /// The client has entered a state.
    pub fn client(&self, entered: &Entered) {
        self.line("client", &entered.text, entered.colour);
    }

    /// Something was done to the server.
    pub fn server(&self, text: impl Display) {
        self.line("server", text, Colour::Yellow);
    }

    /// Requests so far.
    pub fn traffic(&self, tally: &Tally) {
        let (sent, answered, failed) = (tally.sent, tally.answered, tally.failures());
        self.line(
            "traffic",
            format!("sent {sent}, answered {answered}, failed {failed}"),
            Colour::Plain,
        );
    }

    /// The client works again.
    pub fn recovered(&self, after: Duration) {
        self.line(
            "client",
            format!("recovered {after:.0?} after the server was back"),
            Colour::Green,
        );
    }

    fn line(&self, who: &str, text: impl Display, colour: Colour) {
        let since = (now() - self.start).as_secs_f64();
        let code = match colour {
            _ if !self.colours => "",
            Colour::Plain => "",
            Colour::Dim => "\x1b[2m",
            Colour::Red => "\x1b[31m",
            Colour::Green => "\x1b[32m",
            Colour::Yellow => "\x1b[33m",
        };
        let end = if code.is_empty() { "" } else { "\x1b[0m" };
        println!("{code}{since:6.2} s  {who:<8} {text}{end}");
    }
}
