//! Who asked what, what was executed, and what each caller was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use statem::net::RequestError;

/// The book of one test. Every request has a key that no other has.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    last: u64,
    /// Begun, and not ended.
    open: BTreeSet<u64>,
    outcomes: BTreeMap<u64, Outcome>,
    /// How often each was executed, by the servers' word.
    executed: BTreeMap<u64, u32>,
    /// In the order of their execution.
    order: Vec<u64>,
    mismatched: Vec<String>,
    /// Keys that may be executed more than once.
    idempotent: BTreeSet<u64>,
    /// A server that is not ours executes, so nobody says what.
    foreign: bool,
}

/// What became of a call: exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Ok,
    NotSent,
    Unknown,
    Protocol,
    StoppedBefore,
    StoppedMeanwhile,
    /// The caller dropped its future.
    GivenUp,
}

impl Outcome {
    pub(crate) fn of<T>(result: &Result<T, RequestError>) -> Self {
        match result {
            Ok(_) => Outcome::Ok,
            Err(RequestError::NotSent(_)) => Outcome::NotSent,
            Err(RequestError::Unknown(_)) => Outcome::Unknown,
            Err(RequestError::Protocol(_)) => Outcome::Protocol,
            Err(RequestError::Stopped {
                may_have_run: false,
                ..
            }) => Outcome::StoppedBefore,
            Err(RequestError::Stopped {
                may_have_run: true, ..
            }) => Outcome::StoppedMeanwhile,
            Err(error) => panic!("an outcome that this test does not know: {error}"),
        }
    }

    /// Whether the caller was promised that its request has not run.
    fn is_promised_not_to_have_run(self) -> bool {
        matches!(self, Outcome::NotSent | Outcome::StoppedBefore)
    }
}

/// A call that has begun; dropped without an end, its caller gave it up.
pub(crate) struct Begun {
    ledger: Ledger,
    pub(crate) key: u64,
    ended: bool,
}

impl Ledger {
    pub(crate) fn begin(&self) -> Begun {
        let key = {
            let mut book = self.book();
            book.last += 1;
            let key = book.last;
            book.open.insert(key);
            key
        };
        Begun {
            ledger: self.clone(),
            key,
            ended: false,
        }
    }

    /// The key of the latest call: keys are counted from 1.
    pub(crate) fn last(&self) -> u64 {
        self.book().last
    }

    pub(crate) fn may_run_twice(&self, key: u64) {
        self.book().idempotent.insert(key);
    }

    /// The server is not the test's own: it does not say what it executes.
    pub(crate) fn server_is_foreign(&self) {
        self.book().foreign = true;
    }

    /// A server executes a request.
    pub(crate) fn execute(&self, key: u64) {
        let mut book = self.book();
        *book.executed.entry(key).or_default() += 1;
        book.order.push(key);
    }

    /// Keys in the order of their execution.
    pub(crate) fn order(&self) -> Vec<u64> {
        self.book().order.clone()
    }

    /// How many different keys were executed.
    pub(crate) fn executed(&self) -> usize {
        self.book().executed.len()
    }

    /// How many keys were executed more than once.
    pub(crate) fn twice(&self) -> usize {
        let book = self.book();
        book.executed.values().filter(|&&times| times > 1).count()
    }

    pub(crate) fn was_executed(&self, key: u64) -> bool {
        self.times(key) > 0
    }

    /// How often a key was executed.
    pub(crate) fn times(&self, key: u64) -> u32 {
        self.book().executed.get(&key).copied().unwrap_or(0)
    }

    /// The keys of the calls with this outcome.
    pub(crate) fn keys(&self, outcome: Outcome) -> BTreeSet<u64> {
        let book = self.book();
        let with = book.outcomes.iter().filter(|&(_, &found)| found == outcome);
        with.map(|(&key, _)| key).collect()
    }

    /// How many calls had this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let book = self.book();
        book.outcomes
            .values()
            .filter(|&&found| found == outcome)
            .count()
    }

    /// Of the calls with this outcome, how many were executed.
    pub(crate) fn executed_of(&self, outcome: Outcome) -> usize {
        let book = self.book();
        let with = book.outcomes.iter().filter(|&(_, &found)| found == outcome);
        with.filter(|&(key, _)| book.executed.contains_key(key))
            .count()
    }

    /// Calls that have begun and not ended.
    pub(crate) fn open(&self) -> usize {
        self.book().open.len()
    }

    /// What holds in every row: each call has one outcome, no answer was another's, nothing was
    /// executed twice, and what was not sent was not executed.
    pub(crate) fn check(&self) {
        let book = self.book();
        assert!(
            book.open.is_empty(),
            "{} calls have no outcome: {:?}",
            book.open.len(),
            book.open
        );
        assert!(
            book.mismatched.is_empty(),
            "answers of others: {:?}",
            book.mismatched
        );
        assert_eq!(
            book.outcomes.len() as u64,
            book.last,
            "each call has one outcome"
        );
        for (key, &times) in &book.executed {
            assert!(
                times == 1 || book.idempotent.contains(key),
                "request {key} was executed {times} times"
            );
            let outcome = book.outcomes.get(key);
            assert!(
                outcome.is_some(),
                "request {key} was executed, and nobody had asked it"
            );
            assert!(
                !outcome.is_some_and(|outcome| outcome.is_promised_not_to_have_run()),
                "request {key} was executed, and its caller was told {outcome:?}"
            );
        }
        for (key, outcome) in &book.outcomes {
            assert!(
                *outcome != Outcome::Ok || book.foreign || book.executed.contains_key(key),
                "request {key} was answered, and no server has executed it"
            );
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// The call's one outcome: the key that the answer names, or the error.
    pub(crate) fn end(mut self, result: &Result<u64, RequestError>) {
        self.ended = true;
        let mut book = self.ledger.book();
        if let Ok(answer) = result
            && *answer != self.key
        {
            book.mismatched.push(format!("{answer} for {}", self.key));
        }
        book.settle(self.key, Outcome::of(result));
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.ended {
            self.ledger.book().settle(self.key, Outcome::GivenUp);
        }
    }
}

impl Book {
    fn settle(&mut self, key: u64, outcome: Outcome) {
        let was_open = self.open.remove(&key);
        let former = self.outcomes.insert(key, outcome);
        if !was_open || former.is_some() {
            self.mismatched
                .push(format!("{key} ended twice: {former:?}, then {outcome:?}"));
        }
    }
}
