//! `tokio::task`.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

pub use shuttle::current::TaskId as Id;
use shuttle::sync::{Mutex, MutexGuard};

/// Starts a task of the checker.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let joined = Arc::new(Mutex::new(Joined {
        output: None,
        waker: None,
    }));
    let end = End(joined.clone());
    let task = shuttle::future::spawn(async move {
        let output = future.await;
        lock(&end.0).output = Some(Ok(output));
        drop(end);
    });
    JoinHandle { joined, task }
}

/// `tokio::task::JoinHandle`. The checker's own keeps a lock of std's while it drops a waker, and a
/// waker of the library's may let another task go on, which then waits for that lock for ever.
#[derive(Debug)]
pub struct JoinHandle<T> {
    joined: Arc<Mutex<Joined<T>>>,
    task: shuttle::future::JoinHandle<()>,
}

/// The task was aborted.
#[derive(Debug)]
pub struct Aborted;

/// What a task gave, and who waits for it.
#[derive(Debug)]
struct Joined<T> {
    output: Option<Result<T, Aborted>>,
    waker: Option<Waker>,
}

/// Tells whoever waits that the task has ended, in whatever way.
struct End<T>(Arc<Mutex<Joined<T>>>);

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let mut joined = lock(&self.0);
        joined.output.get_or_insert(Err(Aborted));
        let waker = joined.waker.take();
        drop(joined);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(joined: &Mutex<Joined<T>>) -> MutexGuard<'_, Joined<T>> {
    joined.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> JoinHandle<T> {
    /// Drops the task's future at its next turn.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, Aborted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut joined = lock(&self.joined);
        if let Some(output) = joined.output.take() {
            return Poll::Ready(output);
        }
        let before = joined.waker.replace(cx.waker().clone());
        drop(joined);
        drop(before);
        Poll::Pending
    }
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
