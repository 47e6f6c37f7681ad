//! The handle of a running supervisor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Supervisor;
use super::error::ChildError;
use super::machine::{Event, Kind, Supervision};
use super::report::{ChildInfo, Report};
use super::spec::{Rules, Seed, Shutdown, Spec};
use crate::driver::{Closed, Handle, Watch, WeakHandle};
use crate::error::CallError;
use crate::handler::Handler;
use crate::reason::ExitReason;
use crate::reply::Reply;
use crate::watch::Status;

/// A running [`Supervisor`], from outside. Clone it for each user.
///
/// It keeps the supervisor alive: when the last one is dropped, the supervisor ends and its children
/// are let go, all at once and without being waited for. To end it in order await [`Tree::stop`].
/// A supervisor that is a child of another one is kept by that.
#[derive(Clone)]
pub struct Tree {
    pub(super) name: Arc<str>,
    pub(super) handle: Handle<Supervision>,
}

impl Tree {
    /// Starts another child, as the last one, and gives its handle.
    ///
    /// It is not waited for: what is sent to the handle waits until it has begun. A supervisor that
    /// is itself restarted forgets children that were started so (OTP's do, too).
    ///
    /// Cancel safety of this and the other requests: dropped after it was polled, the request may be
    /// served all the same. While a group is restarted requests wait, up to 1024 of them; others fail
    /// with [`CallError::Full`].
    ///
    /// # Errors
    ///
    /// [`ChildError::NameTaken`], [`ChildError::AlreadyStarted`], [`ChildError::Full`] and
    /// [`ChildError::Stopping`], as [`CallError::Failed`]; the other errors of a call.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, as the other requests.
    pub async fn start<M>(&self, spec: Spec<M>) -> Result<Handle<M>, CallError<ChildError>>
    where
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
    {
        let (handle, seed) = spec.split();
        self.add(seed).await?;
        Ok(handle)
    }

    /// As [`Tree::start`], for a supervisor.
    ///
    /// # Errors
    ///
    /// As [`Tree::start`].
    pub async fn start_tree(&self, supervisor: Supervisor) -> Result<Tree, CallError<ChildError>> {
        let (tree, seed) = supervisor.split(Rules::new(Shutdown::Forever));
        self.add(seed).await?;
        Ok(tree)
    }

    async fn add(&self, seed: Seed) -> Result<(), CallError<ChildError>> {
        let seed = Box::new(seed);
        self.ask(|reply| Kind::Start(seed, reply)).await
    }

    /// Ends a child and waits for its end, however long its shutdown takes. It stays in the list
    /// unless it is temporary, and [`Tree::restart`] starts it again, for the same handles.
    ///
    /// # Errors
    ///
    /// [`ChildError::NoSuchChild`] and [`ChildError::Stopping`], as [`CallError::Failed`]; the other
    /// errors of a call, but for a limit.
    pub async fn terminate(&self, child: &str) -> Result<(), CallError<ChildError>> {
        let call = self
            .handle
            .call(|reply| Event(Kind::Terminate(child.into(), reply)));
        call.limit(Duration::MAX).await
    }

    /// Starts a child again that has ended, or that waits for its restart; it does not count towards
    /// the intensity.
    ///
    /// # Errors
    ///
    /// [`ChildError::NoSuchChild`], [`ChildError::Running`], [`ChildError::AlreadyStarted`] and
    /// [`ChildError::Stopping`], as [`CallError::Failed`]; the other errors of a call.
    pub async fn restart(&self, child: &str) -> Result<(), CallError<ChildError>> {
        self.ask(|reply| Kind::Restart(child.into(), reply)).await
    }

    /// Forgets a child that has ended.
    ///
    /// # Errors
    ///
    /// [`ChildError::NoSuchChild`], [`ChildError::Running`] and [`ChildError::Stopping`], as
    /// [`CallError::Failed`]; the other errors of a call.
    pub async fn delete(&self, child: &str) -> Result<(), CallError<ChildError>> {
        self.ask(|reply| Kind::Delete(child.into(), reply)).await
    }

    /// The children, in the order of their start. A supervisor among them is shown as ready once all
    /// below it was; [`Tree::report`] looks at those.
    ///
    /// # Errors
    ///
    /// The errors of a call.
    pub async fn children(&self) -> Result<Vec<ChildInfo>, CallError> {
        let (report, _) = self.handle.call(|reply| Event(Kind::Report(reply))).await?;
        let children = report.children.into_iter();
        Ok(children.map(|(child, _)| child).collect())
    }

    /// The supervisor and all below it, to be printed. A supervisor below that does not answer within
    /// the limit of a call is shown without its children.
    ///
    /// ```
    /// use statem::supervisor::{Spec, Strategy, Supervisor};
    /// use statem::{Cx, Handler, Next, StateMachine, keep};
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
    /// let mut pool = Supervisor::new("pool", Strategy::Dynamic);
    /// pool.child(Spec::<Worker>::new("one", || (Working, ())));
    /// let mut app = Supervisor::new("app", Strategy::RestForOne);
    /// app.child(Spec::<Worker>::new("store", || (Working, ())));
    /// app.tree(pool);
    /// let app = app.spawn();
    /// app.ready().await.unwrap();
    /// assert_eq!(
    ///     app.report().await.unwrap().to_string(),
    ///     "\
    /// app: rest for one, 0 of 1 restarts
    /// ├─ store (Worker): Working, restarts 0, queue 0
    /// └─ pool (Supervision): Supervising, restarts 0, queue 0, dynamic, 0 of 1 restarts
    ///    └─ one (Worker): Working, restarts 0, queue 0"
    /// );
    /// app.stop().await;
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of a call to this supervisor.
    pub async fn report(&self) -> Result<Report, CallError> {
        let call = self.handle.call(|reply| Event(Kind::Report(reply)));
        let (mut report, trees) = call.await?;
        for ((child, below), tree) in report.children.iter_mut().zip(trees) {
            if let Some(tree) = tree {
                *below = Box::pin(tree.report()).await.ok();
                child.ready &= below.as_ref().is_none_or(Report::is_ready);
            }
        }
        Ok(report)
    }

    /// Waits until all children are ready at once, those below supervisors too; those that are down
    /// do not count. Without a limit.
    ///
    /// Cancel safety: nothing is lost by dropping it.
    ///
    /// # Errors
    ///
    /// The errors of a call, if the supervisor ends first.
    pub async fn ready(&self) -> Result<(), CallError> {
        // A supervisor that was ready before may not be any more: it is asked itself.
        while !self.wait_ready().await?.is_ready() {}
        Ok(())
    }

    /// Waits until the children are ready, each for itself, and looks at all of them then.
    async fn wait_ready(&self) -> Result<Report, CallError> {
        self.own_ready().await?;
        let call = self.handle.call(|reply| Event(Kind::Report(reply)));
        let (_, trees) = call.await?;
        for tree in trees.into_iter().flatten() {
            // One that ends is no longer ready, and this one learns of it.
            let _ = Box::pin(tree.wait_ready()).await;
        }
        self.report().await
    }

    /// Waits until its own children are ready: a supervisor among them once all below it was.
    pub(super) async fn own_ready(&self) -> Result<(), CallError> {
        let call = self.handle.call(|reply| Event(Kind::AllReady(reply)));
        call.limit(Duration::MAX).await
    }

    /// Ends the children, the last one first and each within its time, then the supervisor; waits for
    /// it, however long it takes. The reason of its end is [`ExitReason::Shutdown`], unless it ended
    /// first.
    ///
    /// Cancel safety: once it has been polled the request stays in force.
    pub async fn stop(&self) -> ExitReason {
        self.handle.shutdown(Duration::MAX).await
    }

    /// Ends the supervisor before its next transition (N62). Its children are let go: each ends at
    /// its next turn, shut down, and nobody waits for that.
    pub fn kill(&self) {
        self.handle.kill();
    }

    /// Waits for the end of the supervisor; see [`Handle::closed`].
    pub fn closed(&self) -> Closed {
        self.handle.closed()
    }

    /// What the supervisor is doing, in the words of [`Supervision`].
    #[must_use]
    pub fn status(&self) -> Status {
        self.handle.status()
    }

    /// Follows what the supervisor is doing; see [`Handle::watch`].
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// How often the supervisor was restarted by its own supervisor.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.handle.restarts()
    }

    /// Lets the supervisor live without handles; see [`Handle::detach`].
    pub fn detach(self) {
        self.handle.detach();
    }

    /// A handle that does not keep the supervisor alive, for its own children to start others by.
    #[must_use]
    pub fn downgrade(&self) -> WeakTree {
        WeakTree {
            name: self.name.clone(),
            handle: self.handle.downgrade(),
        }
    }

    async fn ask(
        &self,
        kind: impl FnOnce(Reply<(), ChildError>) -> Kind,
    ) -> Result<(), CallError<ChildError>> {
        self.handle.call(|reply| Event(kind(reply))).await
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("name", &self.name)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// A handle of a supervisor that does not keep it alive.
#[derive(Clone, Debug)]
pub struct WeakTree {
    name: Arc<str>,
    handle: WeakHandle<Supervision>,
}

impl WeakTree {
    /// A handle, unless the supervisor has none left.
    #[must_use]
    pub fn upgrade(&self) -> Option<Tree> {
        Some(Tree {
            name: self.name.clone(),
            handle: self.handle.upgrade()?,
        })
    }
}
