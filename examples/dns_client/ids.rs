//! The ids of one socket: who gets the answer that has one.

use std::collections::BTreeMap;

use statem::Timer;

/// Ids of queries that went out on one socket.
///
/// A query that has its answer, or is given up, leaves its id behind while copies of it are
/// unanswered: given to another query, the id would let a late answer pass for that query's. Such an
/// id is free again when every copy was answered or enough time has gone.
#[derive(Default)]
pub(super) struct Ids {
    taken: BTreeMap<u16, Taken>,
}

struct Taken {
    /// Copies that went out and were not answered.
    copies: u32,
    /// `Err` holds the time until nobody answers any more.
    query: Result<u64, Timer>,
}

/// Whose id it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// This query waits.
    Query(u64),
    /// Its query does not wait any more.
    Gone,
    /// Nobody has used it lately.
    Nobody,
}

impl Ids {
    /// An id that no copy under way has, for this query. `None` when all are taken.
    ///
    /// By chance, since who guesses it can answer in the server's place. A client that must not be
    /// guessed takes it, and the port, from a generator that nobody can follow (RFC 5452, 9.2).
    pub(super) fn take(&mut self, query: u64, random: &mut fastrand::Rng) -> Option<u16> {
        let start = random.u16(..);
        let mut ids = (0..=u16::MAX).map(|step| start.wrapping_add(step));
        let id = ids.find(|id| !self.taken.contains_key(id))?;
        let taken = Taken {
            copies: 0,
            query: Ok(query),
        };
        self.taken.insert(id, taken);
        Some(id)
    }

    /// A copy of the query goes out.
    pub(super) fn sent(&mut self, id: u16) {
        if let Some(taken) = self.taken.get_mut(&id) {
            taken.copies += 1;
        }
    }

    /// Who waits for an answer with this id.
    pub(super) fn owner(&self, id: u16) -> Owner {
        match self.taken.get(&id).map(|taken| &taken.query) {
            Some(Ok(query)) => Owner::Query(*query),
            Some(Err(_)) => Owner::Gone,
            None => Owner::Nobody,
        }
    }

    /// A copy was answered.
    pub(super) fn answered(&mut self, id: u16) {
        if let Some(taken) = self.taken.get_mut(&id) {
            taken.copies = taken.copies.saturating_sub(1);
            if taken.copies == 0 && taken.query.is_err() {
                self.taken.remove(&id);
            }
        }
    }

    /// The query does not wait any more. `quarantine` gives the time after which the id is
    /// [free](Ids::release) whatever is unanswered.
    pub(super) fn leave(&mut self, id: u16, quarantine: impl FnOnce() -> Timer) {
        if let Some(taken) = self.taken.get_mut(&id) {
            if taken.copies == 0 {
                self.taken.remove(&id);
            } else {
                taken.query = Err(quarantine());
            }
        }
    }

    /// Time is over for an id that was left.
    pub(super) fn release(&mut self, id: u16) {
        self.taken.remove(&id);
    }

    /// How many were left and may still be answered.
    pub(super) fn quarantined(&self) -> usize {
        let left = self.taken.values().filter(|taken| taken.query.is_err());
        left.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n84_an_id_that_was_left_is_given_to_nobody_until_it_is_answered_or_released() {
        let (mut ids, mut random) = (Ids::default(), fastrand::Rng::with_seed(1));
        let mut take = |ids: &mut Ids| ids.take(0, &mut random);
        let left: Vec<u16> = (0..3).filter_map(|_| take(&mut ids)).collect();
        for &id in &left {
            ids.sent(id);
            ids.sent(id);
            ids.leave(id, Timer::inert);
        }
        let others = u16::MAX - 2;
        for _ in 0..others {
            let id = take(&mut ids).expect("there are others");
            assert!(!left.contains(&id), "{id} was left");
        }
        assert_eq!(take(&mut ids), None);
        assert_eq!((ids.quarantined(), ids.owner(left[0])), (3, Owner::Gone));

        // One of two copies of the first is answered, both of the second, and the time of the third
        // is over.
        ids.answered(left[0]);
        assert_eq!(take(&mut ids), None);
        for _ in 0..2 {
            ids.answered(left[1]);
        }
        assert_eq!(ids.owner(left[1]), Owner::Nobody);
        assert_eq!(take(&mut ids), Some(left[1]));
        ids.release(left[2]);
        assert_eq!(take(&mut ids), Some(left[2]));
        assert_eq!(ids.quarantined(), 1);
    }
}
