//! The queue of requests that wait for a connection, or for room on it.

use std::collections::VecDeque;
use std::fmt;

use super::{NotSent, RequestError, Settled};
use crate::Reply;

/// What becomes of a request that cannot be sent at once: its caller decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It fails: with [`NotSent::Disconnected`] where there is no connection, with
    /// [`NotSent::Busy`] where there is no room on it. A client that finds a connection ended, and
    /// is about to learn why, lets it wait for that reason.
    FailFast,
    /// It waits until its limit passes.
    #[default]
    Wait,
    /// It waits, unless this many wait already: then it fails with [`NotSent::QueueFull`].
    DropNewest(usize),
    /// It waits. If this many wait already, the oldest of those with this policy gives way to it and
    /// fails with [`NotSent::Displaced`]; if there is none, it fails itself.
    DropOldest(usize),
}

/// Requests that wait, oldest first, each with its caller.
///
/// A caller whose limit passes meanwhile is told that its request has not run, and it will not: as
/// long as it waits, nothing is done for it (N51, N80). The queue has a bound; at the bound those
/// whose callers have gone make room (N53): the oldest at once, any other one before as many
/// requests were refused as an eighth of the queue. So a refusal costs the same however many wait.
pub struct Queue<R, T: Send + 'static> {
    waiting: VecDeque<Queued<R, T>>,
    bound: usize,
    settled: Settled,
    /// How many of those that wait may give way.
    may_give_way: usize,
    /// How many more may find the queue full before all of it is looked through again.
    until_sweep: usize,
    #[cfg(test)]
    looks: usize,
}

/// The part of a full queue that a refusal pays for when all of it is looked through.
const SHARE: usize = 8;

/// A request that waits, or was taken from a [`Queue`] to be sent.
pub struct Queued<R, T: Send + 'static> {
    /// The request.
    pub request: R,
    /// Who asked.
    pub reply: Reply<T, RequestError>,
    /// What its caller wants.
    pub policy: Policy,
    /// Whether it was on a connection that is lost, so that it may have run.
    pub handed: bool,
    /// How often it was sent again.
    pub replays: u32,
}

impl<R, T: Send + 'static> Queue<R, T> {
    /// A queue of at most `bound` requests.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Queue {
            waiting: VecDeque::new(),
            bound,
            settled: Settled::default(),
            may_give_way: 0,
            until_sweep: 0,
            #[cfg(test)]
            looks: 0,
        }
    }

    /// How many wait, those whose callers have gone included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Lets a request wait, or fails it by its policy; `why` is what [`Policy::FailFast`] is told.
    pub fn push(
        &mut self,
        request: R,
        reply: Reply<T, RequestError>,
        policy: Policy,
        why: impl FnOnce() -> NotSent,
    ) {
        let (bound, gives_way) = match policy {
            Policy::FailFast => return self.fail(reply, RequestError::NotSent(why())),
            Policy::Wait => (self.bound, false),
            Policy::DropNewest(bound) => (bound.min(self.bound), false),
            Policy::DropOldest(bound) => (bound.min(self.bound), true),
        };
        if self.waiting.len() >= bound {
            self.make_room();
        }
        if self.waiting.len() >= bound && !(gives_way && self.displace()) {
            return self.fail(reply, RequestError::NotSent(NotSent::QueueFull));
        }
        reply.set_aside();
        let queued = Queued {
            request,
            reply,
            policy,
            handed: false,
            replays: 0,
        };
        self.may_give_way += usize::from(queued.may_give_way());
        self.waiting.push_back(queued);
    }

    /// Takes the oldest request whose caller is still there: from here on it may be sent.
    pub fn take(&mut self) -> Option<Queued<R, T>> {
        while let Some(queued) = self.waiting.pop_front() {
            self.may_give_way -= usize::from(queued.may_give_way());
            // One that was handed was never set aside: its caller must not be told that it has not
            // run.
            if queued.reply.take_up() {
                return Some(queued);
            }
            self.settled.gone(queued.handed);
        }
        None
    }

    /// Puts a request at the front that was taken, or that was lost with its connection and can be
    /// sent again. There is room for it whatever the bound: it had a place before.
    pub fn give_back(&mut self, queued: Queued<R, T>) {
        if !queued.handed {
            queued.reply.set_aside();
        }
        self.may_give_way += usize::from(queued.may_give_way());
        self.waiting.push_front(queued);
    }

    /// Fails all of them, oldest first; `error` is told whether the request may have run.
    pub fn settle(&mut self, error: impl Fn(bool) -> RequestError) {
        self.may_give_way = 0;
        for queued in std::mem::take(&mut self.waiting) {
            if queued.reply.is_closed() {
                self.settled.gone(queued.handed);
            } else {
                self.fail(queued.reply, error(queued.handed));
            }
        }
    }

    /// How many of those that wait may have run.
    pub(in crate::net) fn handed(&self) -> usize {
        self.waiting.iter().filter(|queued| queued.handed).count()
    }

    /// How those fared that have left the queue otherwise than by [`Queue::take`] since this was
    /// last asked: they failed, or their callers had gone.
    pub fn take_settled(&mut self) -> Settled {
        std::mem::take(&mut self.settled)
    }

    fn fail(&mut self, reply: Reply<T, RequestError>, error: RequestError) {
        self.settled.count(&error);
        drop(reply.fail(error));
    }

    /// Removes those whose callers have gone, as far as it is known which (N53).
    fn make_room(&mut self) {
        // Who came first mostly goes first: limits are alike.
        while self.waiting.front().is_some_and(Queued::is_gone) {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            if let Some(queued) = self.waiting.pop_front() {
                self.may_give_way -= usize::from(queued.may_give_way());
                self.settled.gone(queued.handed);
            }
        }
        match self.until_sweep.checked_sub(1) {
            Some(left) => self.until_sweep = left,
            None => self.sweep(),
        }
    }

    fn sweep(&mut self) {
        #[cfg(test)]
        {
            self.looks += self.waiting.len();
        }
        let (settled, may_give_way) = (&mut self.settled, &mut self.may_give_way);
        self.waiting.retain(|queued| {
            let gone = queued.is_gone();
            if gone {
                *may_give_way -= usize::from(queued.may_give_way());
                settled.gone(queued.handed);
            }
            !gone
        });
        self.until_sweep = self.waiting.len() / SHARE;
    }

    /// Fails the oldest that may be; false if none may.
    fn displace(&mut self) -> bool {
        if self.may_give_way == 0 {
            return false;
        }
        let place = self.waiting.iter().position(Queued::may_give_way);
        let Some(queued) = place.and_then(|place| self.waiting.remove(place)) else {
            return false;
        };
        self.may_give_way -= 1;
        self.fail(queued.reply, RequestError::NotSent(NotSent::Displaced));
        true
    }
}

impl<R, T: Send + 'static> Queued<R, T> {
    fn is_gone(&self) -> bool {
        self.reply.is_closed()
    }

    /// To a newer one, at the bound.
    fn may_give_way(&self) -> bool {
        matches!(self.policy, Policy::DropOldest(_)) && !self.handed
    }
}

impl<R, T: Send + 'static> fmt::Debug for Queue<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl<R, T: Send + 'static> fmt::Debug for Queued<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued")
            .field("policy", &self.policy)
            .field("handed", &self.handed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Engine;
    use crate::{Answer, Cx, Handler, Next, StateMachine, keep};

    /// Gives its calls away.
    #[derive(StateMachine)]
    #[machine(event = Ask, data = Vec<Reply<(), RequestError>>, crate = crate)]
    enum Desk {
        #[initial]
        #[to()]
        Open,
    }

    struct Ask(Reply<(), RequestError>);

    impl Handler for Desk {
        fn handle(
            _: DeskAt<'_>,
            Ask(reply): Ask,
            asked: &mut Vec<Reply<(), RequestError>>,
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            asked.push(reply);
            keep()
        }
    }

    const BOUND: usize = 1024;

    /// A full queue and its callers.
    struct Full {
        desk: Engine<Desk>,
        queue: Queue<(), ()>,
        callers: Vec<Answer<(), RequestError>>,
    }

    impl Full {
        fn new() -> Self {
            let mut full = Full {
                desk: Engine::new(Open, Vec::new()),
                queue: Queue::new(BOUND),
                callers: Vec::new(),
            };
            full.desk.start(&|| Duration::ZERO);
            for _ in 0..BOUND {
                let caller = full.ask(Policy::Wait);
                full.callers.push(caller);
            }
            assert_eq!((full.queue.len(), full.queue.looks), (BOUND, 0));
            full
        }

        fn ask(&mut self, policy: Policy) -> Answer<(), RequestError> {
            let answer = self.desk.call(Ask, &|| Duration::ZERO);
            let reply = self.desk.data_mut().and_then(Vec::pop);
            let reply = reply.expect("the desk was asked");
            self.queue.push((), reply, policy, || NotSent::Busy);
            answer
        }

        fn is_refused(&mut self) -> bool {
            self.ask(Policy::Wait).try_take().is_some()
        }
    }

    #[test]
    fn f31_to_refuse_costs_the_same_however_many_wait() {
        for policy in [Policy::Wait, Policy::DropOldest(BOUND)] {
            let mut full = Full::new();
            for _ in 0..10 * BOUND {
                drop(full.ask(policy));
            }
            assert_eq!(full.queue.len(), BOUND);
            // Eight for each that was refused, and the first time.
            assert!(full.queue.looks <= 81 * BOUND, "{}", full.queue.looks);
        }
    }

    #[test]
    fn n53_callers_that_go_in_their_order_make_room_at_once() {
        let mut full = Full::new();
        assert!(full.is_refused());
        let before = full.queue.looks;
        let mut newer = Vec::new();
        for oldest in std::mem::take(&mut full.callers) {
            drop(oldest);
            newer.push(full.ask(Policy::Wait));
        }
        assert_eq!(
            (full.queue.len(), full.queue.settled.not_sent),
            (BOUND, 1 + BOUND as u64)
        );
        assert!(
            full.queue.looks - before <= 10 * BOUND,
            "{}",
            full.queue.looks
        );
    }

    #[test]
    fn n53_one_that_goes_in_the_middle_makes_room_before_an_eighth_of_the_queue_is_refused() {
        let mut full = Full::new();
        assert!(full.is_refused());
        drop(full.callers.remove(BOUND / 2));
        let mut refused = 0;
        while full.is_refused() {
            refused += 1;
            assert!(refused <= BOUND / SHARE, "it makes no room");
        }
    }

    #[test]
    fn how_many_may_give_way_is_known_whatever_becomes_of_them() {
        let mut full = Full::new();
        for _ in 0..20 {
            drop(full.queue.take());
            let caller = full.ask(Policy::DropOldest(BOUND));
            full.callers.push(caller);
        }
        full.callers.drain(..BOUND);
        // One is put back, one is taken for good, one has gone.
        let taken = full.queue.take().expect("twenty wait");
        drop(full.queue.take());
        full.queue.give_back(taken);
        drop(full.callers.pop());
        full.queue.sweep();
        assert_eq!((full.queue.len(), full.queue.may_give_way), (18, 18));
        assert!(full.queue.displace());
        assert_eq!(full.queue.may_give_way, 17);
        full.queue
            .settle(|_| RequestError::NotSent(NotSent::Stopping));
        assert_eq!(full.queue.may_give_way, 0);
    }
}
