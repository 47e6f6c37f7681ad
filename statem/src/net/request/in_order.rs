//! The table of a protocol that answers in order.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;

use super::sent::Handed;
use super::{Answered, RequestError, Sent, Settled};
use crate::Reply;
use crate::net::Link;

/// Requests that were sent and not answered, oldest first, of a protocol whose answers come in the
/// order of the requests.
///
/// A request whose caller has gone keeps its place, since its answer comes all the same and must not
/// be taken for that of the next one (N84). When the connection ends, [`InOrder::settle`] tells
/// everybody what is known; dropped before that, each caller learns that it was not answered.
pub struct InOrder<T: Send + 'static, R = Infallible> {
    sent: VecDeque<Sent<T, R>>,
    window: usize,
    /// How many were answered: the number of the oldest.
    answered: u64,
    handed: Handed,
}

impl<T: Send + 'static, R> InOrder<T, R> {
    /// A table of at most `window` requests, at least one.
    #[must_use]
    pub fn new(window: usize) -> Self {
        InOrder {
            sent: VecDeque::new(),
            window: window.max(1),
            answered: 0,
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

    /// Whether the window is full. It is for the machine to ask before it sends.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.sent.len() >= self.window
    }

    /// Puts down a request that was sent.
    pub fn push(&mut self, sent: Sent<T, R>) {
        self.sent.push_back(sent);
    }

    /// An answer came on the link that the requests were sent on: it is the oldest request's, unless
    /// no byte of that has left.
    pub fn answer<C>(&mut self, link: &Link<C>, response: T) -> Answered<T> {
        match self.sent.pop_front() {
            Some(sent) if self.handed.has(sent.mark, link) => {
                self.answered += 1;
                sent.answer(response)
            }
            Some(unsent) => {
                self.sent.push_front(unsent);
                Answered::Stray(response)
            }
            None => Answered::Stray(response),
        }
    }

    /// The number of the oldest request, which no other one on this connection has. `None` if there
    /// is none, or it may take as long as it likes and its caller still waits: one that nobody waits
    /// for keeps all others from their answers.
    ///
    /// The peer makes progress as long as this changes. See [`Sent::long`].
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let oldest = self.sent.front()?;
        (!oldest.is_long()).then_some(self.answered)
    }

    /// The connection is gone: fails everybody, oldest first (N81), but for those that can be sent
    /// again, which are given to `again`.
    ///
    /// Both are told whether the transport had accepted a byte of the request (N80); `error` is
    /// mostly [`RequestError::of_lost`].
    pub fn settle<C>(
        &mut self,
        link: &Link<C>,
        error: impl Fn(bool) -> RequestError,
        mut again: impl FnMut(R, Reply<T, RequestError>, bool),
    ) -> Settled {
        let mut settled = Settled::default();
        for sent in self.sent.drain(..) {
            sent.settle(link, &error, &mut again, &mut settled);
        }
        settled
    }

    /// How many have a caller.
    pub(in crate::net) fn calls(&self) -> usize {
        self.sent.iter().filter(|sent| sent.reply.is_some()).count()
    }
}

impl<T: Send + 'static, R> fmt::Debug for InOrder<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InOrder")
            .field("len", &self.len())
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
