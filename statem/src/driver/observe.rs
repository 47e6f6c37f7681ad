//! Those who wait for what a machine publishes: [`Watch`] for its state, [`Closed`] for its end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::reason::ExitReason;
use crate::watch::{Published, Status};

/// Follows the state of a machine, by name.
///
/// Short-lived states may be skipped, the last one never; a state is shown when its enter call has
/// finished (N71).
///
/// ```no_run
/// # use statem::{Machine, Handle, Status};
/// # async fn follow<M: Machine>(client: Handle<M>) {
/// let mut watch = client.watch();
/// while let Status::Running(state) = watch.changed().await {
///     println!("the client is {state}");
/// }
/// # }
/// ```
pub struct Watch {
    observer: Observer,
    name: fn(usize) -> &'static str,
}

impl Watch {
    pub(super) fn new(published: Arc<Published>, name: fn(usize) -> &'static str) -> Self {
        let mut observer = Observer::new(published);
        if observer.published.stopped().is_some() {
            // The end is news to a watch that was made after it.
            observer.seen = u64::MAX;
        }
        Watch { observer, name }
    }

    /// What the machine is doing now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.observer.published.status(self.name)
    }

    /// Waits until the machine does something else than when this was last asked, and gives it. At
    /// once if it has already; for ever after the machine has ended and that was given.
    ///
    /// May give the same status again, when the machine has been elsewhere in between.
    ///
    /// Cancel safety: dropping the future loses nothing.
    pub async fn changed(&mut self) -> Status {
        let seen = self.observer.seen;
        self.observer.seen = std::future::poll_fn(|cx| self.observer.poll_changed(seen, cx)).await;
        self.status()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.status()).finish()
    }
}

/// The end of a machine, as a future; see [`Handle::closed`](crate::Handle::closed). It does not keep the machine alive.
#[must_use = "a future does nothing until it is awaited"]
pub struct Closed(Observer);

impl Closed {
    pub(super) fn new(published: Arc<Published>) -> Self {
        Closed(Observer::new(published))
    }
}

impl Future for Closed {
    type Output = ExitReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        loop {
            // The version first: what is published after it is seen by the wait.
            let seen = self.0.published.version();
            if let Some(reason) = self.0.published.stopped() {
                return Poll::Ready(reason);
            }
            if self.0.poll_changed(seen, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closed")
            .field(&self.0.published.stopped())
            .finish()
    }
}

/// One who waits for what a machine publishes.
struct Observer {
    published: Arc<Published>,
    watcher: u64,
    seen: u64,
}

impl Observer {
    fn new(published: Arc<Published>) -> Self {
        let (watcher, seen) = (published.watcher(), published.version());
        Observer {
            published,
            watcher,
            seen,
        }
    }

    fn poll_changed(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.published.poll_changed(self.watcher, seen, cx)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.published.forget(self.watcher);
    }
}
