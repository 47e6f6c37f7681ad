//! The queue of requests that wait for a connection, or for room on it.

use std::collections::VecDeque;
use std::fmt;

use super::{NotSent, RequestError, Settled};
use crate::Reply;

/// What becomes of a request that cannot be sent at once: its caller decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It fails: with [`NotSent::Disconnected`] where there is no connection, with
    /// [`NotSent::Busy`] where there is no room on it.
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
/// whose callers have gone are removed before anybody else is refused (N53).
pub struct Queue<R, T: Send + 'static> {
    waiting: VecDeque<Queued<R, T>>,
    bound: usize,
    settled: Settled,
}

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
}

impl<R, T: Send + 'static> Queue<R, T> {
    /// A queue of at most `bound` requests.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Queue {
            waiting: VecDeque::new(),
            bound,
            settled: Settled::default(),
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
            self.sweep();
        }
        if self.waiting.len() >= bound && !(gives_way && self.displace()) {
            return self.fail(reply, RequestError::NotSent(NotSent::QueueFull));
        }
        reply.set_aside();
        self.waiting.push_back(Queued {
            request,
            reply,
            policy,
            handed: false,
        });
    }

    /// Takes the oldest request whose caller is still there: from here on it may be sent.
    pub fn take(&mut self) -> Option<Queued<R, T>> {
        while let Some(queued) = self.waiting.pop_front() {
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
        self.waiting.push_front(queued);
    }

    /// Fails all of them, oldest first; `error` is told whether the request may have run.
    pub fn settle(&mut self, error: impl Fn(bool) -> RequestError) {
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

    /// Removes those whose callers have gone.
    fn sweep(&mut self) {
        let settled = &mut self.settled;
        self.waiting.retain(|queued| {
            let gone = queued.reply.is_closed();
            if gone {
                settled.gone(queued.handed);
            }
            !gone
        });
    }

    /// Fails the oldest that may be; false if none may.
    fn displace(&mut self) -> bool {
        let may = |queued: &Queued<R, T>| {
            matches!(queued.policy, Policy::DropOldest(_)) && !queued.handed
        };
        let place = self.waiting.iter().position(may);
        let Some(queued) = place.and_then(|place| self.waiting.remove(place)) else {
            return false;
        };
        self.fail(queued.reply, RequestError::NotSent(NotSent::Displaced));
        true
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
