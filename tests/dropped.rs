//! Futures that are dropped after so many polls.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::sleep;

/// The polls of a future.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polls {
    /// It is dropped after so many.
    pub(crate) most: usize,
    /// So many are one turn of the runtime apart from the next: between the two every task that can
    /// run does one step. Further ones are [`TICK`] apart, unless the future is woken before.
    pub(crate) turns: usize,
}

const TICK: Duration = Duration::from_millis(5);

/// Turns at first, for what needs no time.
impl From<usize> for Polls {
    fn from(most: usize) -> Self {
        Polls { most, turns: 12 }
    }
}

/// Polls a future so often at most, and drops it then, before anything else happens. `None` if it was
/// not ready.
pub(crate) async fn dropped_after<F: Future>(
    polls: impl Into<Polls>,
    future: F,
) -> Option<F::Output> {
    let Polls { most, turns } = polls.into();
    let mut future = Box::pin(future);
    for polled in 1..=most {
        if let Poll::Ready(output) = once(&mut future).await {
            return Some(output);
        }
        if polled == most {
            break;
        }
        if polled <= turns {
            tokio::task::yield_now().await;
        } else {
            woken_or(TICK).await;
        }
    }
    None
}

/// Polls it once, for whoever polls this.
async fn once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Waits until whoever polls this is woken, for whatever reason, or this time has passed.
async fn woken_or(limit: Duration) {
    let mut limit = Box::pin(sleep(limit));
    let mut polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        limit.as_mut().poll(cx)
    })
    .await;
}
