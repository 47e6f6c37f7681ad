//! Futures that are dropped after so many polls.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::sleep;

/// So many polls are one turn of the runtime apart: between two of them every task that can run does
/// one step. The next ones are [`TICK`] apart, unless the future is woken before.
const TURNS: usize = 12;
const TICK: Duration = Duration::from_millis(5);

/// Polls a future so often at most, and drops it then, before anything else happens. `None` if it was
/// not ready.
pub(crate) async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for polled in 1..=polls {
        if let Poll::Ready(output) = once(&mut future).await {
            return Some(output);
        }
        if polled == polls {
            break;
        }
        if polled <= TURNS {
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
