//! A question on its way to the driver, and its answer: what a [`Handle`](crate::Handle) asks of the
//! driver rather than of the machine (N55).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::clock;
use super::limit::Limit;
use crate::error::CallError;
use crate::inspect::Question;
use crate::machine::Machine;
use crate::mailbox::{Mailbox, Shut};
use crate::reply::Answer;

/// A question on its way into the mailbox.
pub(super) struct Put<'a, M: Machine> {
    mailbox: &'a Mailbox<M>,
    question: Option<Box<Question<M>>>,
    /// While it waits for room.
    asker: Option<u64>,
}

impl<'a, M: Machine> Put<'a, M> {
    pub(super) fn new(mailbox: &'a Mailbox<M>, question: Box<Question<M>>) -> Self {
        Put {
            mailbox,
            question: Some(question),
            asker: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Shut>> {
        self.mailbox
            .poll_ask(&mut self.question, &mut self.asker, cx.waker())
    }
}

impl<M: Machine> Drop for Put<'_, M> {
    fn drop(&mut self) {
        if let Some(asker) = self.asker {
            self.mailbox.forget_asker(asker);
        }
    }
}

/// Waits for room for a question and for the answer that the driver gives to it, within one limit.
pub(super) async fn answer_within<M, T, E>(
    machine: &'static str,
    put: Put<'_, M>,
    mut answer: Answer<T, E>,
    limit: Duration,
) -> Result<T, CallError<E>>
where
    M: Machine,
    T: Send + 'static,
    E: Send + 'static,
{
    // A limit beyond the clock's range is no limit.
    let deadline = clock::now().checked_add(limit);
    let mut limit = None;
    let mut put = Some(put);
    std::future::poll_fn(|cx| {
        if let (None, Some(deadline)) = (&limit, deadline) {
            limit = Some(Limit::new(deadline, cx.waker()));
        }
        match put.as_mut().map(|put| put.poll(cx)) {
            Some(Poll::Ready(Err(shut))) => return Poll::Ready(Err(shut.into_error(machine))),
            Some(Poll::Ready(Ok(()))) => put = None,
            Some(Poll::Pending) | None => {}
        }
        if let Poll::Ready(outcome) = Pin::new(&mut answer).poll(cx) {
            return Poll::Ready(outcome);
        }
        if limit
            .as_mut()
            .is_none_or(|limit| limit.poll(cx).is_pending())
        {
            return Poll::Pending;
        }
        Poll::Ready(
            answer
                .give_up()
                .unwrap_or_else(|begun| Err(CallError::TimedOut { machine, begun })),
        )
    })
    .await
}
