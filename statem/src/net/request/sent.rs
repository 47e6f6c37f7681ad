//! What the tables keep of a request, and what they say of it.

use std::convert::Infallible;
use std::fmt;

use super::RequestError;
use crate::Reply;
use crate::net::{Link, Mark};

/// A request that was sent, as a table keeps it until it is answered.
///
/// `R` is what is needed to send it once more; for a protocol that sends nothing twice it is
/// nothing.
pub struct Sent<T: Send + 'static, R = Infallible> {
    pub(super) reply: Option<Reply<T, RequestError>>,
    pub(super) mark: Mark,
    pub(super) long: bool,
    /// It may have run on another connection.
    handed: bool,
    /// Behind a pointer: few requests have one, and a table has many entries.
    pub(super) replay: Option<Box<R>>,
}

impl<T: Send + 'static, R> Sent<T, R> {
    /// The request that [`Link::send`] gave this mark, and who waits for its answer. Without a
    /// reply it is one of the machine's own, such as a ping.
    #[must_use]
    pub fn new(mark: Mark, reply: Option<Reply<T, RequestError>>) -> Self {
        Sent {
            reply,
            mark,
            long: false,
            handed: false,
            replay: None,
        }
    }

    /// Whether its answer may take as long as it likes, as of a request that waits for something
    /// to happen: then that it is not answered says nothing about the peer, as long as its caller
    /// waits.
    #[must_use]
    pub fn long(mut self, long: bool) -> Self {
        self.long = long;
        self
    }

    /// Whether a byte of it was accepted on a connection that is lost, before it was sent again on
    /// this one: then it may have run, whatever becomes of it here.
    #[must_use]
    pub fn handed(mut self, handed: bool) -> Self {
        self.handed = handed;
        self
    }

    /// What is needed to send it again when the connection is lost. Only for requests that do no
    /// harm when they run twice.
    #[must_use]
    pub fn replay(mut self, replay: Option<Box<R>>) -> Self {
        self.replay = replay;
        self
    }

    /// Whether the peer has all the time it likes: somebody waits for what is to happen.
    pub(super) fn is_long(&self) -> bool {
        self.long && !self.is_given_up()
    }

    fn is_given_up(&self) -> bool {
        self.reply.as_ref().is_some_and(Reply::is_closed)
    }

    /// The request was answered.
    pub(super) fn answer(self, response: T) -> Answered<T> {
        match self.reply {
            None => Answered::Own,
            Some(reply) => match reply.send(response) {
                Ok(()) => Answered::Delivered,
                Err(_) => Answered::Late,
            },
        }
    }

    /// The connection is gone: tells the caller what is known of the request (N80), or gives the
    /// request back to be sent again.
    pub(super) fn settle<C>(
        self,
        link: &Link<C>,
        error: &impl Fn(bool) -> RequestError,
        again: &mut impl FnMut(R, Reply<T, RequestError>, bool),
        settled: &mut Settled,
    ) {
        let Some(reply) = self.reply else { return };
        let handed = self.handed || link.is_handed(self.mark);
        if reply.is_closed() {
            return settled.gone(handed);
        }
        if let Some(replay) = self.replay {
            return again(*replay, reply, handed);
        }
        let error = error(handed);
        settled.count(&error);
        drop(reply.fail(error));
    }
}

impl<T: Send + 'static, R> fmt::Debug for Sent<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent")
            .field("mark", &self.mark)
            .field("long", &self.long)
            .finish_non_exhaustive()
    }
}

/// What was handed to the transport when that was last asked: a link is asked once for all that
/// left together.
pub(super) struct Handed(Mark);

impl Handed {
    pub(super) fn nothing() -> Self {
        Handed(Mark(0))
    }

    /// Whether any of this request was, so that it can have an answer.
    pub(super) fn has<C>(&mut self, mark: Mark, link: &Link<C>) -> bool {
        if mark >= self.0 {
            self.0 = link.handed();
        }
        mark < self.0
    }
}

/// Where an answer went.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a stray answer means that no further one can be trusted"]
pub enum Answered<T> {
    /// To the caller that waited for it.
    Delivered,
    /// Nowhere: its caller has gone. Its place in the table is free from here on (N84).
    Late,
    /// Nowhere: nobody waited, since the machine itself had asked.
    Own,
    /// It answers nothing that was asked, or a request of which no byte has left.
    Stray(T),
}

/// How requests were settled that got no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Settled {
    /// Those that have not run.
    pub not_sent: u64,
    /// Those that may have run.
    pub unknown: u64,
    /// Those that were lost because the peer broke the protocol.
    pub protocol: u64,
    /// Those that may have run when the client ended.
    pub stopped: u64,
}

impl Settled {
    pub(super) fn count(&mut self, error: &RequestError) {
        match error {
            error if !error.may_have_run() => self.not_sent += 1,
            RequestError::Protocol(_) => self.protocol += 1,
            RequestError::Stopped { .. } => self.stopped += 1,
            _ => self.unknown += 1,
        }
    }

    /// The caller had gone.
    pub(super) fn gone(&mut self, handed: bool) {
        if handed {
            self.unknown += 1;
        } else {
            self.not_sent += 1;
        }
    }
}
