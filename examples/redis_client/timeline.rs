//! What happens, as lines on the screen.

use std::fmt::Display;
use std::time::Duration;

use statem::Status;
use statem::net::{NotSent, Policy, RequestError};
use tokio::time::{Instant, timeout_at};

use super::client::Redis;
use super::traffic::{Counter, Tally, now};

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

impl Timeline {
    /// Begins now.
    #[must_use]
    pub fn new(colours: bool) -> Self {
        Timeline {
            start: now(),
            colours,
        }
    }

    /// Prints the states of a client as they come, and every second the count of its traffic.
    pub async fn follow(&self, redis: &Redis, tally: &Counter) {
        let mut states = redis.client().watch();
        let mut tick = now() + Duration::from_secs(1);
        loop {
            match timeout_at(tick, states.changed()).await {
                Ok(Status::Running("Disconnected")) => self.disconnected(redis).await,
                Ok(Status::Running(state)) => self.line("client", state, colour(state)),
                Ok(_) => return,
                Err(_) => {
                    self.traffic(&tally.now());
                    tick += Duration::from_secs(1);
                }
            }
        }
    }

    /// A command that does not wait for a connection is told why there is none.
    async fn disconnected(&self, redis: &Redis) {
        // Where there is one again, nobody waits for a server that hangs.
        let ping = redis.call(["PING"]).policy(Policy::FailFast);
        let failed = ping.limit(Duration::from_millis(100)).await;
        if let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = failed {
            self.line("client", format!("Disconnected: {lost}"), Colour::Red);
        }
    }

    /// Something was done to the server.
    pub fn server(&self, text: impl Display) {
        self.line("server", text, Colour::Yellow);
    }

    /// Requests so far.
    fn traffic(&self, tally: &Tally) {
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

fn colour(state: &str) -> Colour {
    if state == "Connected" {
        Colour::Green
    } else {
        Colour::Dim
    }
}
