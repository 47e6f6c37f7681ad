//! `tokio::task`.

use std::pin::Pin;
use std::task::{Context, Poll};

pub use shuttle::current::TaskId as Id;
use shuttle::future::JoinHandle;

/// Starts a task of the checker.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    shuttle::future::spawn(future)
}

/// The task that runs.
#[must_use]
pub fn try_id() -> Option<Id> {
    shuttle::current::get_current_task()
}

/// A task of the checker has no budget.
pub fn unconstrained<F: Future + Unpin>(future: F) -> Unconstrained<F> {
    Unconstrained(future)
}

/// See [`unconstrained`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Unconstrained<F>(F);

impl<F: Future + Unpin> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}
