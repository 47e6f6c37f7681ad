//! The record of the edges that the machines of this process have taken (feature `test-util`): the
//! engine writes it, `testing` reads it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An edge of a machine: the name of the machine's type, and the places of the two states in its
/// graph. A machine need not be `'static`, so it has a name but no `TypeId`.
type Key = (&'static str, usize, usize);

static TAKEN: Mutex<BTreeMap<Key, u64>> = Mutex::new(BTreeMap::new());

/// A machine has taken an edge. Allocates for the first time of an edge at most.
pub(crate) fn took(machine: &'static str, from: usize, to: usize) {
    *record().entry((machine, from, to)).or_default() += 1;
}

/// How often all machines of a type have taken an edge.
pub(crate) fn taken(machine: &'static str, from: usize, to: usize) -> u64 {
    record().get(&(machine, from, to)).copied().unwrap_or(0)
}

/// Nothing under this lock is a user's, so a panic cannot leave it half done.
fn record() -> MutexGuard<'static, BTreeMap<Key, u64>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
