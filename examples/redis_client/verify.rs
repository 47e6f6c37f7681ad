//! Whether each reply is the one that belongs to its request.
//!
//! A client that matches replies to requests wrongly looks healthy: every caller gets an answer,
//! and it is somebody else's. So every caller uses keys of its own and values that no other caller
//! and no other moment has, and knows what must come back.

use bytes::Bytes;

use super::client::Outcome;
use super::value::{Command, Value};

/// What one caller expects of the server.
#[derive(Debug)]
pub struct Verifier {
    /// What the keys of this caller begin with.
    prefix: String,
    /// Counts the keys: they are given up when nobody can know any more what they hold.
    keys: u64,
    /// Counts the requests, which makes every value unique.
    serial: u64,
    /// What the value holds, as the server has confirmed.
    value: Option<String>,
    /// What the counter holds, as the server has confirmed.
    count: i64,
    /// Whether the server forgets everything when it goes down.
    forgets: bool,
    /// Connections lost when this was last looked at.
    losses: u64,
}

/// A request, as its caller remembers it.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// An echo of this text.
    Ping(String),
    /// The value becomes this.
    Set(String),
    /// The value.
    Get,
    /// The counter rises by one.
    Incr,
    /// The value goes.
    Del,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The right answer came.
    Answered,
    /// No answer came, and this is why.
    Failed(String),
    /// An answer came that cannot be the one to this request.
    Mismatched(String),
}

impl Verifier {
    /// A caller whose keys begin with `prefix`; `forgets` if the server keeps nothing when it goes
    /// down.
    #[must_use]
    pub fn new(prefix: String, forgets: bool, losses: u64) -> Self {
        Verifier {
            prefix,
            keys: 0,
            serial: 0,
            value: None,
            count: 0,
            forgets,
            losses,
        }
    }

    /// The next request, and how it is written.
    pub fn ask(&mut self) -> (Asked, Command) {
        self.serial += 1;
        let (value, counter) = (self.key("value"), self.key("counter"));
        let unique = format!("{}:{}", self.prefix, self.serial);
        match self.serial % 10 {
            1 => (
                Asked::Ping(unique.clone()),
                Command::from(["PING", &unique]),
            ),
            2 | 5 => (
                Asked::Set(unique.clone()),
                Command::from(["SET", &value, &unique]),
            ),
            3 | 6 | 9 => (Asked::Get, Command::from(["GET", &value])),
            8 => (Asked::Del, Command::from(["DEL", &value])),
            _ => (Asked::Incr, Command::from(["INCR", &counter])),
        }
    }

    /// The request that takes away all keys that this caller has ever used.
    #[must_use]
    pub fn tidy(&self) -> Command {
        let keys: Vec<String> = (0..=self.keys)
            .flat_map(|number| ["value", "counter"].map(|name| key(&self.prefix, number, name)))
            .collect();
        let words = ["DEL"].into_iter().chain(keys.iter().map(String::as_str));
        Command::from(words.collect::<Vec<_>>())
    }

    /// Judges the outcome of the request that was made last. `losses` is the number of connections
    /// lost until now.
    pub fn check(&mut self, asked: Asked, outcome: &Outcome, losses: u64) -> Verdict {
        let forgot = self.forgets && losses != self.losses;
        self.losses = losses;
        let verdict = match outcome {
            Ok(Ok(value)) => self.check_value(asked, value, forgot),
            Ok(Err(error)) => {
                self.renew();
                Verdict::Failed(error.to_string())
            }
            Err(error) => {
                if error.may_have_run() {
                    self.renew();
                }
                Verdict::Failed(error.to_string())
            }
        };
        if forgot {
            self.renew();
        }
        verdict
    }

    fn check_value(&mut self, asked: Asked, got: &Value, forgot: bool) -> Verdict {
        let data = |text: &str| Value::Data(Bytes::copy_from_slice(text.as_bytes()));
        let (wanted, after_loss) = match &asked {
            Asked::Ping(text) => (data(text), None),
            Asked::Set(_) => (data("OK"), None),
            Asked::Get => (
                self.value.as_deref().map_or(Value::Nil, data),
                Some(Value::Nil),
            ),
            Asked::Incr => (Value::Number(self.count + 1), Some(Value::Number(1))),
            Asked::Del => (
                Value::Number(i64::from(self.value.is_some())),
                Some(Value::Number(0)),
            ),
        };
        if *got != wanted && !(forgot && after_loss.as_ref() == Some(got)) {
            return Verdict::Mismatched(format!(
                "{}: {asked:?} wanted {wanted:?} and got {got:?}",
                self.prefix
            ));
        }
        match (asked, got) {
            (Asked::Set(text), _) => self.value = Some(text),
            (Asked::Del, _) => self.value = None,
            (Asked::Incr, Value::Number(count)) => self.count = *count,
            _ => {}
        }
        Verdict::Answered
    }

    /// Takes new keys, which hold nothing.
    fn renew(&mut self) {
        self.keys += 1;
        self.value = None;
        self.count = 0;
    }

    fn key(&self, name: &str) -> String {
        key(&self.prefix, self.keys, name)
    }
}

fn key(prefix: &str, number: u64, name: &str) -> String {
    format!("{prefix}:{number}:{name}")
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::BytesMut;
    use statem::net::{NotSent, RequestError};
    use tokio_util::codec::{Decoder, Encoder};

    use super::super::resp::Resp;
    use super::super::server::Store;
    use super::*;

    /// A command as a server sees it.
    fn received(command: &Command) -> Value {
        let mut bytes = BytesMut::new();
        let written = Resp::default().encode(command.clone(), &mut bytes);
        written.expect("it is a command");
        let read = Resp::default().decode(&mut bytes).expect("it is RESP");
        read.expect("it is whole")
    }

    /// Lets 64 callers ask 20 times each, all at once, and gives each the reply `shift` places
    /// after its own.
    fn mismatches(shift: usize) -> usize {
        let store = Store::default();
        let mut callers: Vec<_> = (0..64)
            .map(|id| Verifier::new(format!("caller{id}"), false, 0))
            .collect();
        let mut found = 0;
        for _ in 0..20 {
            let asked: Vec<_> = callers.iter_mut().map(Verifier::ask).collect();
            let mut replies: VecDeque<Value> = asked
                .iter()
                .map(|(_, command)| store.execute(&received(command)))
                .collect();
            replies.rotate_left(shift);
            for ((caller, (asked, _)), reply) in callers.iter_mut().zip(asked).zip(replies) {
                let outcome = Ok(Ok(reply));
                found += usize::from(matches!(
                    caller.check(asked, &outcome, 0),
                    Verdict::Mismatched(_)
                ));
            }
        }
        found
    }

    #[test]
    fn replies_in_their_places_are_all_right() {
        assert_eq!(mismatches(0), 0);
    }

    #[test]
    fn replies_shifted_by_one_are_found() {
        // Half of all requests have an answer that no neighbour's is equal to.
        let found = mismatches(1);
        assert!(found > 64 * 20 / 4, "only {found} were found");
    }

    #[test]
    fn a_request_that_was_not_sent_must_not_have_run() {
        let mut caller = Verifier::new("a".into(), false, 0);
        let not_sent = Err(RequestError::NotSent(NotSent::Busy));
        let failed = caller.check(Asked::Set("x".into()), &not_sent, 0);
        assert!(matches!(failed, Verdict::Failed(why) if why.contains("not sent")));
        assert_eq!(
            caller.check(Asked::Get, &Ok(Ok(Value::Nil)), 0),
            Verdict::Answered
        );
        let ran = caller.check(Asked::Get, &Ok(Ok(Value::Data("x".into()))), 0);
        assert!(matches!(ran, Verdict::Mismatched(_)), "{ran:?}");
    }

    #[test]
    fn a_server_that_may_have_forgotten_is_allowed_to_once() {
        let mut caller = Verifier::new("a".into(), true, 0);
        assert_eq!(
            caller.check(Asked::Incr, &Ok(Ok(Value::Number(1))), 0),
            Verdict::Answered
        );
        assert_eq!(
            caller.check(Asked::Incr, &Ok(Ok(Value::Number(2))), 0),
            Verdict::Answered
        );
        assert_eq!(
            caller.check(Asked::Incr, &Ok(Ok(Value::Number(1))), 1),
            Verdict::Answered
        );
        // It has new keys now, so it knows again what must come.
        assert_eq!(
            caller.check(Asked::Incr, &Ok(Ok(Value::Number(1))), 1),
            Verdict::Answered
        );
        assert!(matches!(
            caller.check(Asked::Incr, &Ok(Ok(Value::Number(1))), 1),
            Verdict::Mismatched(_)
        ));
    }
}
