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
///
/// Run as a task of another machine it is OTP's monitor: the end comes as an event, as long as the
/// guard or the state lives (R92). One that has ended already says so at once. To end with the other
/// machine, see [`Actions::link`](crate::Actions::link).
///
/// ```
/// use statem::{Cx, EnterCx, ExitReason, Handle, Handler, Next, StateMachine, keep, spawn};
///
/// /// Says when another machine has ended.
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Handle<Worker>)]
/// enum Observer {
///     #[initial]
///     #[to(Alone)]
///     Watching,
///     #[terminal]
///     Alone,
/// }
///
/// enum Event {
///     Down(ExitReason),
/// }
///
/// impl Handler for Observer {
///     fn enter(&mut self, worker: &mut Handle<Worker>, cx: &mut EnterCx<Self>) {
///         if let Observer::Watching = self {
///             cx.state_task(worker.closed(), Event::Down);
///         }
///     }
///
///     fn handle(
///         ObserverAt::Watching(s): ObserverAt<'_>,
///         Event::Down(reason): Event,
///         _: &mut Handle<Worker>,
///         _: &mut Cx<Self>,
///     ) -> Next<Self> {
///         assert!(matches!(reason, ExitReason::Killed));
///         s.go(Alone)
///     }
/// }
///
/// #[derive(StateMachine)]
/// #[machine(event = ())]
/// enum Worker {
///     #[initial]
///     #[to()]
///     Working,
/// }
///
/// impl Handler for Worker {
///     fn handle(_: WorkerAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let worker = spawn::<Worker>(Working, ());
/// let observer = spawn::<Observer>(Watching, worker.clone());
/// worker.kill();
/// assert!(matches!(observer.closed().await, ExitReason::Normal));
/// # });
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Closed {
    pub(super) machine: &'static str,
    observer: Observer,
}

impl Closed {
    pub(super) fn new(machine: &'static str, published: Arc<Published>) -> Self {
        Closed {
            machine,
            observer: Observer::new(published),
        }
    }
}

impl Future for Closed {
    type Output = ExitReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        loop {
            // The version first: what is published after it is seen by the wait.
            let seen = self.observer.published.version();
            if let Some(reason) = self.observer.published.stopped() {
                return Poll::Ready(reason);
            }
            if self.observer.poll_changed(seen, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed")
            .field("machine", &self.machine)
            .field("reason", &self.observer.published.stopped())
            .finish()
    }
}

/// The end of one of the lives of a machine, or its own (N76).
pub(super) struct LifeEnded {
    observer: Observer,
    /// The lives that had ended before.
    lives: u64,
}

impl LifeEnded {
    /// The end of the life that comes after so many.
    pub(super) fn after(published: Arc<Published>, lives: u64) -> Self {
        LifeEnded {
            observer: Observer::new(published),
            lives,
        }
    }
}

impl Future for LifeEnded {
    type Output = ExitReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        let published = &self.observer.published;
        loop {
            // The version first, as above.
            let seen = published.version();
            if let Some(reason) = published.stopped() {
                return Poll::Ready(reason);
            }
            if let (lives, Some(reason)) = published.lives() {
                if lives > self.lives {
                    return Poll::Ready(reason);
                }
            }
            if self.observer.poll_changed(seen, cx).is_pending() {
                return Poll::Pending;
            }
        }
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
