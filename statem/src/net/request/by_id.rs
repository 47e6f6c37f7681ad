//! The table of a protocol whose answers name their request.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::fmt;
use std::ops::RangeInclusive;

use super::sent::Handed;
use super::{Answered, RequestError, Sent, Settled};
use crate::Reply;
use crate::net::Link;

/// Requests that were sent and not answered, by the id that their answers will have.
///
/// The id of a request whose caller has gone stays taken until its answer has come or the connection
/// ends (N84): given to another request, it would get the old answer. Ids are given in turn, so that
/// one is used again as late as can be.
pub struct ById<T: Send + 'static, R = Infallible> {
    sent: BTreeMap<u64, (u64, Sent<T, R>)>,
    ids: RangeInclusive<u64>,
    window: usize,
    /// The id to try next.
    next: u64,
    /// How many were ever sent: the number of the next one.
    numbered: u64,
    handed: Handed,
}

impl<T: Send + 'static, R> ById<T, R> {
    /// A table of at most `window` requests, at least one, with ids of this range. A range of no
    /// ids has no room.
    #[must_use]
    pub fn new(ids: RangeInclusive<u64>, window: usize) -> Self {
        let span = (ids.end().saturating_sub(*ids.start())).saturating_add(1);
        let span = if ids.is_empty() {
            0
        } else {
            usize::try_from(span).unwrap_or(usize::MAX)
        };
        ById {
            sent: BTreeMap::new(),
            next: *ids.start(),
            ids,
            window: window.max(1).min(span),
            numbered: 0,
            handed: Handed::nothing(),
        }
    }

    /// How many were sent and not answered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sent.len()
    }

    /// Whether all were answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Whether the window is full, or every id is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.sent.len() >= self.window
    }

    /// The id for the next request: the same one until [`ById::push`]. `None` if there is no room.
    pub fn free_id(&mut self) -> Option<u64> {
        if self.is_full() {
            return None;
        }
        // There is a free one, for the window is not larger than the range.
        while self.sent.contains_key(&self.next) {
            self.step();
        }
        Some(self.next)
    }

    /// Puts down a request that was sent with this id, which [`ById::free_id`] gave.
    pub fn push(&mut self, id: u64, sent: Sent<T, R>) {
        self.sent.insert(id, (self.numbered, sent));
        self.numbered += 1;
        if id == self.next {
            self.step();
        }
    }

    /// An answer came for this id, on the link that the requests were sent on.
    pub fn answer<C>(&mut self, link: &Link<C>, id: u64, response: T) -> Answered<T> {
        match self.sent.entry(id) {
            Entry::Occupied(entry) if self.handed.has(entry.get().1.mark, link) => {
                entry.remove().1.answer(response)
            }
            _ => Answered::Stray(response),
        }
    }

    /// The number of the oldest request that may not take as long as it likes; no other one on this
    /// connection has it. The peer makes progress as long as this changes. Where there is no room
    /// and no such request, it is the oldest of those whose callers have gone: they keep the room.
    ///
    /// Looks at all of them.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let oldest = |long: fn(&Sent<T, R>) -> bool| {
            let watched = self.sent.values().filter(|(_, sent)| !long(sent));
            watched.map(|(number, _)| *number).min()
        };
        oldest(|sent| sent.long).or_else(|| {
            let full = self.is_full();
            full.then(|| oldest(Sent::is_long)).flatten()
        })
    }

    /// The connection is gone: see [`InOrder::settle`](super::InOrder::settle).
    pub fn settle<C>(
        &mut self,
        link: &Link<C>,
        error: impl Fn(bool) -> RequestError,
        mut again: impl FnMut(R, Reply<T, RequestError>, bool),
    ) -> Settled {
        let mut settled = Settled::default();
        let mut all: Vec<_> = std::mem::take(&mut self.sent).into_values().collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        for (_, sent) in all {
            sent.settle(link, &error, &mut again, &mut settled);
        }
        settled
    }

    /// How many have a caller.
    pub(in crate::net) fn calls(&self) -> usize {
        let calls = self.sent.values().filter(|(_, sent)| sent.reply.is_some());
        calls.count()
    }

    fn step(&mut self) {
        self.next = if self.next >= *self.ids.end() {
            *self.ids.start()
        } else {
            self.next + 1
        };
    }
}

impl<T: Send + 'static, R> fmt::Debug for ById<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ById")
            .field("len", &self.len())
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
