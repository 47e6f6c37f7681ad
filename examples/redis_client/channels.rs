//! A connection that subscribes: what it asks for, and what its frames are.

use std::collections::BTreeSet;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use statem::net::{Handshake, Protocol, Received};

use super::greeting::{Greeting, is_confirmation, ping};
use super::location::Location;
use super::resp::Resp;
use super::value::{Command, ServerError, Value};

/// What can be subscribed to. Text is the name of a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The channel of this name.
    Channel(Bytes),
    /// All channels whose names fit, as `news.*`.
    Pattern(Bytes),
}

/// What was published on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The pattern that was subscribed to, if it was one.
    pub pattern: Option<Bytes>,
    /// The channel.
    pub channel: Bytes,
    /// What was published.
    pub payload: Bytes,
}

/// What a subscription is subscribed to, or is about to be: its owner changes it, and each new
/// connection begins with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Topics(Arc<Mutex<BTreeSet<Topic>>>);

/// A connection that subscribes.
#[derive(Debug)]
pub struct Channels {
    greeting: Greeting,
}

impl Topic {
    /// All channels whose names fit this pattern, as `news.*`.
    pub fn pattern(pattern: impl AsRef<[u8]>) -> Self {
        Topic::Pattern(Bytes::copy_from_slice(pattern.as_ref()))
    }

    /// The commands that subscribe to all of these.
    pub(super) fn subscribe(topics: &[Topic]) -> impl Iterator<Item = Command> {
        Self::commands(topics, ["SUBSCRIBE", "PSUBSCRIBE"])
    }

    /// The commands that end the subscription to all of these.
    pub(super) fn unsubscribe(topics: &[Topic]) -> impl Iterator<Item = Command> {
        Self::commands(topics, ["UNSUBSCRIBE", "PUNSUBSCRIBE"])
    }

    fn commands(
        topics: &[Topic],
        [of_channels, of_patterns]: [&'static str; 2],
    ) -> impl Iterator<Item = Command> {
        let mut channels: Vec<&[u8]> = vec![of_channels.as_bytes()];
        let mut patterns: Vec<&[u8]> = vec![of_patterns.as_bytes()];
        for topic in topics {
            match topic {
                Topic::Channel(name) => channels.push(name),
                Topic::Pattern(pattern) => patterns.push(pattern),
            }
        }
        [channels, patterns]
            .into_iter()
            .filter(|words| words.len() > 1)
            .map(|words| Command::new(&words).idempotent())
    }
}

impl<Name: AsRef<[u8]> + ?Sized> From<&Name> for Topic {
    fn from(name: &Name) -> Self {
        Topic::Channel(Bytes::copy_from_slice(name.as_ref()))
    }
}

impl Topics {
    pub(super) fn all(&self) -> Vec<Topic> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn insert(&self, topic: Topic) {
        self.lock().insert(topic);
    }

    pub(super) fn remove(&self, topic: &Topic) {
        self.lock().remove(topic);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Topic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FromIterator<Topic> for Topics {
    fn from_iter<I: IntoIterator<Item = Topic>>(topics: I) -> Self {
        Topics(Arc::new(Mutex::new(topics.into_iter().collect())))
    }
}

impl Channels {
    pub(super) fn new(location: Location, topics: Topics) -> Self {
        Channels {
            greeting: Greeting::new(location, Some(topics)),
        }
    }
}

impl Protocol for Channels {
    type Codec = Resp;
    type Request = Command;
    /// What was published; `None` confirms what the subscription has asked for, or answers the ping.
    type Response = Result<Option<Message>, ServerError>;

    fn codec(&self) -> Resp {
        Resp::default()
    }

    fn receive(&mut self, value: Value, _: &mut Vec<Command>) -> Received<Self::Response> {
        let mut words = match value {
            Value::Push(words) | Value::Array(words) => words,
            Value::Error(error) => return Received::Answer(Err(error)),
            // To the ping.
            _ => return Received::Answer(Ok(None)),
        };
        let message = match &mut words[..] {
            [kind, Value::Data(channel), Value::Data(payload)] if kind.is_word("message") => {
                Message {
                    pattern: None,
                    channel: take(channel),
                    payload: take(payload),
                }
            }
            [
                kind,
                Value::Data(pattern),
                Value::Data(channel),
                Value::Data(payload),
            ] if kind.is_word("pmessage") => Message {
                pattern: Some(take(pattern)),
                channel: take(channel),
                payload: take(payload),
            },
            [kind, ..] if is_confirmation(kind) => return Received::Answer(Ok(None)),
            // To the ping, in version 2.
            [kind, Value::Data(_)] if kind.is_word("pong") => return Received::Answer(Ok(None)),
            _ => return Received::Ignore,
        };
        Received::Push(Ok(Some(message)))
    }

    fn hello(&mut self, out: &mut Vec<Command>) -> Handshake {
        self.greeting.begin(out)
    }

    fn greeted(&mut self, value: Value, out: &mut Vec<Command>) -> Handshake {
        self.greeting.go_on(value, out)
    }

    fn replay(&self, command: &Command) -> Option<Command> {
        command.idempotent.then(|| command.clone())
    }

    fn ping(&mut self) -> Option<Command> {
        Some(ping())
    }
}
