//! What is said to a Redis when a connection is made, one step after the other.

use std::collections::VecDeque;

use statem::net::Handshake;

use super::channels::{Topic, Topics};
use super::location::{Location, Version};
use super::value::{Command, ServerError, Value};

/// What is said first, one step after the other: which one is next depends on what a server knows.
#[derive(Debug)]
pub(super) struct Greeting {
    location: Location,
    /// What to subscribe to, of a connection that does.
    topics: Option<Topics>,
    steps: VecDeque<Step>,
    /// Subscriptions that are not confirmed.
    unconfirmed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Asks for version 3, and logs in.
    Hello,
    /// Logs in.
    Auth,
    Select,
    Subscribe,
    /// Where there is nothing to say: whether it is a Redis, and lets anybody in.
    Ping,
}

impl Greeting {
    pub(super) fn new(location: Location, topics: Option<Topics>) -> Self {
        Greeting {
            location,
            topics,
            steps: VecDeque::new(),
            unconfirmed: 0,
        }
    }

    pub(super) fn begin(&mut self, out: &mut Vec<Command>) -> Handshake {
        self.steps.clear();
        if self.location.database != 0 {
            self.steps.push_back(Step::Select);
        }
        if self.topics.is_some() {
            self.steps.push_back(Step::Subscribe);
        }
        match self.location.version {
            Version::Three => self.steps.push_front(Step::Hello),
            Version::Two => self.without_hello(),
        }
        self.say(out)
    }

    /// The steps of version 2.
    fn without_hello(&mut self) {
        if self.location.credentials.is_some() {
            self.steps.push_front(Step::Auth);
        }
        if self.steps.is_empty() {
            self.steps.push_front(Step::Ping);
        }
    }

    pub(super) fn go_on(&mut self, value: Value, out: &mut Vec<Command>) -> Handshake {
        match (self.steps.front(), value) {
            (Some(Step::Hello), Value::Error(error)) if knows_version_2_only(&error) => {
                self.steps.pop_front();
                self.without_hello();
            }
            (_, Value::Error(error)) if is_permanent(&error) => {
                return Handshake::Refused(error.into());
            }
            // As of a server that has too many clients.
            (_, Value::Error(error)) => return Handshake::Failed(error.into()),
            (Some(Step::Subscribe), Value::Push(words) | Value::Array(words)) => {
                // Messages may come in between: who has not subscribed to everything yet is told
                // nothing.
                let confirms = words.first().is_some_and(is_confirmation);
                self.unconfirmed -= usize::from(confirms);
                if self.unconfirmed > 0 {
                    return Handshake::Continue;
                }
                self.steps.pop_front();
            }
            (_, Value::Push(_)) => return Handshake::Continue,
            _ => {
                self.steps.pop_front();
            }
        }
        self.say(out)
    }

    /// Says what the next step wants.
    fn say(&mut self, out: &mut Vec<Command>) -> Handshake {
        let Some(step) = self.steps.front() else {
            return Handshake::Done;
        };
        let mut words: Vec<&[u8]> = Vec::new();
        let database = self.location.database.to_string();
        let credentials = self.location.credentials.as_ref();
        match step {
            Step::Hello => {
                words.extend([&b"HELLO"[..], b"3"]);
                if let Some(credentials) = credentials {
                    let user = credentials.user.as_deref().unwrap_or("default");
                    words.extend([b"AUTH", user.as_bytes(), credentials.password.as_bytes()]);
                }
            }
            Step::Auth => {
                words.push(b"AUTH");
                if let Some(credentials) = credentials {
                    // Servers before version 6 know no users.
                    words.extend(credentials.user.as_deref().map(str::as_bytes));
                    words.push(credentials.password.as_bytes());
                }
            }
            Step::Select => words.extend([b"SELECT", database.as_bytes()]),
            Step::Subscribe => {
                let topics = self.topics.as_ref().map(Topics::all).unwrap_or_default();
                self.unconfirmed = topics.len();
                out.extend(Topic::subscribe(&topics));
                if topics.is_empty() {
                    words.push(b"PING");
                }
            }
            Step::Ping => words.push(b"PING"),
        }
        if !words.is_empty() {
            out.push(Command::new(&words));
        }
        Handshake::Continue
    }
}

fn knows_version_2_only(error: &ServerError) -> bool {
    error.is("NOPROTO") || error.text().starts_with("ERR unknown command")
}

/// Whether asking again will do no better.
fn is_permanent(error: &ServerError) -> bool {
    const TEXTS: [&str; 4] = [
        // Before version 6.
        "ERR invalid password",
        "ERR Client sent AUTH",
        "ERR AUTH",
        "ERR DB index",
    ];
    let code = ["WRONGPASS", "NOAUTH", "NOPERM"];
    let text = error.text();
    code.iter().any(|code| error.is(code)) || TEXTS.iter().any(|known| text.starts_with(known))
}

/// Whether a frame that begins so says that something is subscribed to, or no longer.
pub(super) fn is_confirmation(kind: &Value) -> bool {
    let kinds = ["subscribe", "psubscribe", "unsubscribe", "punsubscribe"];
    kinds.iter().any(|known| kind.is_word(known))
}

pub(super) fn ping() -> Command {
    Command::from(["PING"])
}
