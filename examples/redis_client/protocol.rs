//! What the frames of a Redis are, on a connection for commands: all that the client does not have
//! from [`statem::net::Client`].

use statem::net::{Handshake, Protocol, Received};

use super::greeting::{Greeting, ping};
use super::location::Location;
use super::resp::Resp;
use super::value::{Answer, Command, Value};

/// A connection for commands: each is answered, in order.
#[derive(Debug)]
pub struct Commands {
    greeting: Greeting,
}

impl Commands {
    pub(super) fn new(location: Location) -> Self {
        Commands {
            greeting: Greeting::new(location, None),
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
