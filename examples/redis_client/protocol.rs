//! What is said to a Redis when a connection is made, and what its frames are: all that the client
//! does not have from [`statem::net::Client`].

use std::collections::VecDeque;
use std::mem::take;

use bytes::Bytes;
use statem::net::{Handshake, Protocol, Received};

use super::location::{Location, Version};
use super::resp::Resp;
use super::value::{Answer, Command, ServerError, Value};

/// A connection for commands: each is answered, in order.
#[derive(Debug)]
pub struct Commands {
    greeting: Greeting,
}

/// A connection that has subscribed to channels.
#[derive(Debug)]
pub struct Channels {
    greeting: Greeting,
}

/// What was published on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel: Bytes,
    /// What was published.
    pub payload: Bytes,
}

impl Commands {
    pub(super) fn new(location: Location) -> Self {
        Commands {
            greeting: Greeting::new(location, Vec::new()),
        }
    }
}

impl Protocol for Commands {
    type Codec = Resp;
    type Request = Command;
    type Response = Answer;

    fn codec(&self) -> Resp {
        Resp::default()
    }

    fn receive(&mut self, value: Value, _: &mut Vec<Command>) -> Received<Answer> {
        match value {
            // What the server sends unasked, such as news of a cache, is no answer.
            Value::Push(_) => Received::Ignore,
            Value::Error(error) => Received::Answer(Err(error)),
            value => Received::Answer(Ok(value)),
        }
    }

    fn hello(&mut self, out: &mut Vec<Command>) -> Handshake {
        self.greeting.begin(out)
    }

    fn greeted(&mut self, value: Value, out: &mut Vec<Command>) -> Handshake {
        self.greeting.go_on(value, out)
    }

    fn is_long(&self, command: &Command) -> bool {
        command.long
    }

    fn replay(&self, command: &Command) -> Option<Command> {
        command.idempotent.then(|| command.clone())
    }

    fn ping(&mut self) -> Option<Command> {
        Some(ping())
    }
}

impl Channels {
    pub(super) fn new(location: Location, channels: Vec<Vec<u8>>) -> Self {
        Channels {
            greeting: Greeting::new(location, channels),
        }
    }
}

impl Protocol for Channels {
    type Codec = Resp;
    type Request = Command;
    /// `None` answers the ping, which nobody but the client asks for.
    type Response = Option<Message>;

    fn codec(&self) -> Resp {
        Resp::default()
    }

    fn receive(&mut self, value: Value, _: &mut Vec<Command>) -> Received<Option<Message>> {
        match value {
            Value::Push(mut words) | Value::Array(mut words) => match &mut words[..] {
                [kind, Value::Data(channel), Value::Data(payload)] if is(kind, "message") => {
                    let (channel, payload) = (take(channel), take(payload));
                    Received::Push(Some(Message { channel, payload }))
                }
                // To the ping, in version 2.
                [kind, Value::Data(_)] if is(kind, "pong") => Received::Answer(None),
                _ => Received::Ignore,
            },
            Value::Error(error) => Received::Violation(error.into()),
            _ => Received::Answer(None),
        }
    }

    fn hello(&mut self, out: &mut Vec<Command>) -> Handshake {
        self.greeting.begin(out)
    }

    fn greeted(&mut self, value: Value, out: &mut Vec<Command>) -> Handshake {
        self.greeting.go_on(value, out)
    }

    fn ping(&mut self) -> Option<Command> {
        Some(ping())
    }
}

/// What is said first, one step after the other: which one is next depends on what a server knows.
#[derive(Debug)]
struct Greeting {
    location: Location,
    channels: Vec<Vec<u8>>,
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
    fn new(location: Location, channels: Vec<Vec<u8>>) -> Self {
        Greeting {
            location,
            channels,
            steps: VecDeque::new(),
            unconfirmed: 0,
        }
    }

    fn begin(&mut self, out: &mut Vec<Command>) -> Handshake {
        self.steps.clear();
        if self.location.database != 0 {
            self.steps.push_back(Step::Select);
        }
        if !self.channels.is_empty() {
            self.steps.push_back(Step::Subscribe);
        }
        self.unconfirmed = self.channels.len();
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

    fn go_on(&mut self, value: Value, out: &mut Vec<Command>) -> Handshake {
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
                // Messages may come in between: who has not subscribed to all channels yet is told
                // nothing.
                let confirms = words.first().is_some_and(|kind| is(kind, "subscribe"));
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
    fn say(&self, out: &mut Vec<Command>) -> Handshake {
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
                words.push(b"SUBSCRIBE");
                words.extend(self.channels.iter().map(Vec::as_slice));
            }
            Step::Ping => words.push(b"PING"),
        }
        out.push(Command::new(&words));
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

fn is(value: &Value, word: &str) -> bool {
    matches!(value, Value::Data(data) if data == word)
}

fn ping() -> Command {
    Command::from(["PING"])
}
