//! Timers that are read: each has an owner before there is an engine to run it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::guard::{Cell, ReleaseList, Timer};
use crate::sync::thread_local;

/// The timers that were read with a snapshot, and where they tell that they were dropped.
#[derive(Default)]
pub(crate) struct Owners {
    /// Made with the first timer.
    pub(crate) list: Option<Arc<ReleaseList>>,
    pub(crate) numbers: BTreeSet<u64>,
}

/// No machine lives to number so many timers and sources.
const LAST_NUMBER: u64 = u64::MAX >> 1;

thread_local! {
    /// Those of the snapshot that is being read. serde gives the value nothing else to know it by.
    static READING: RefCell<Option<Owners>> = const { RefCell::new(None) };
}

/// Puts back what another snapshot, around this one, has collected.
struct Outer(Option<Owners>);

impl Drop for Outer {
    fn drop(&mut self) {
        READING.set(self.0.take());
    }
}

impl Owners {
    /// Collects the timers that are read by `read`.
    pub(super) fn collect<T, E>(read: impl FnOnce() -> Result<T, E>) -> Result<(T, Self), E> {
        let outer = Outer(READING.replace(Some(Owners::default())));
        let value = read()?;
        let owners = READING.take().unwrap_or_default();
        drop(outer);
        Ok((value, owners))
    }

    fn timer(&mut self, number: u64) -> Timer {
        self.numbers.insert(number);
        let list = self.list.get_or_insert_default().clone();
        Timer::new(Arc::new(Cell::new(number, 0, list)))
    }
}

/// As its number (N74): it runs on for the timer that is read in its place. An inert one stays so.
impl Serialize for Timer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id().map(|id| id.0).serialize(serializer)
    }
}

/// Only within a [`Snapshot`](crate::snapshot::Snapshot), which knows the timeout that the number names;
/// elsewhere it is an error.
impl<'de> Deserialize<'de> for Timer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(number) = Option::deserialize(deserializer)? else {
            return Ok(Timer::inert());
        };
        // The machine counts on from the highest one.
        if number > LAST_NUMBER {
            return Err(D::Error::custom(format_args!(
                "no timer is saved as {number}"
            )));
        }
        READING
            .with_borrow_mut(|owners| owners.as_mut().map(|owners| owners.timer(number)))
            .ok_or_else(|| D::Error::custom("a timer can be read only as part of a snapshot"))
    }
}
