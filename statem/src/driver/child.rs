//! A machine that another one starts and owns.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::handle::Handle;
use super::task::Driver;
use crate::context::Actions;
use crate::event::SourceId;
use crate::guard::Guard;
use crate::handler::Handler;
use crate::machine::Machine;
use crate::reason::ExitReason;

/// A machine that another one has started with [`Actions::start`] and owns: its handle, and the
/// guard of what runs it.
///
/// Keep it in the state's struct and the child ends with the state; move it on with
/// [`go_with`](crate::At::go_with) and it goes on (N35). Dropped, the child ends at once with
/// [`ExitReason::Shutdown`]: its `terminate` is called, its callers are told, and nothing of it is
/// left when the transition is complete. Its end is then no event any more (N36).
///
/// To let a child drain, keep this and await [`Handle::shutdown`] of a clone of its handle in a
/// task. A clone of the handle does not keep the child from ending with this.
#[must_use = "dropped, also by `let _ =`, the child ends at once: keep it in the state or in the data"]
pub struct Child<M: Machine> {
    // Before the handle: the child is let go, and not left without handles.
    guard: Guard,
    handle: Handle<M>,
}

impl<M: Machine> Child<M> {
    /// The source that runs the child, as its end tells its [`Origin`](crate::Origin).
    #[must_use]
    pub fn id(&self) -> Option<SourceId> {
        self.guard.id()
    }
}

impl<M: Machine> Deref for Child<M> {
    type Target = Handle<M>;

    fn deref(&self) -> &Handle<M> {
        &self.handle
    }
}

impl<M: Machine> fmt::Debug for Child<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Child").field(&self.handle).finish()
    }
}

impl<M: Machine> Actions<M> {
    /// Starts another machine, as a child of this one: it runs as long as the returned [`Child`]
    /// lives, and its end comes as one event.
    ///
    /// The child is what [`Builder::build`](crate::Builder::build) or
    /// [`Registry::build`](crate::Registry::build) gives. It starts when the transition is complete,
    /// as every source, and is polled in this machine's own task: no runtime is named, so that the
    /// bench polls and finishes it as any other task. When this machine ends, its children end
    /// before it says so, newest first, after its `terminate` and before its state is dropped
    /// (N61). A panic of the child is the child's own end, and not one of this machine. What is to
    /// use another thread is spawned, and its [`closed`](Handle::closed) run as a task here.
    ///
    /// A child that calls its parent has the parent's [`handle`](Actions::handle), weak (N58).
    ///
    /// ```
    /// use statem::{Builder, Child, Cx, ExitReason, Handler, Next, Reply, StateMachine, spawn, stop, unexpected};
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = Event)]
    /// enum Shop {
    ///     #[initial]
    ///     #[to(Open)]
    ///     Closed,
    ///     #[to(Closed)]
    ///     Open(Open),
    /// }
    ///
    /// struct Open {
    ///     /// Goes home when the shop closes.
    ///     clerk: Child<Clerk>,
    /// }
    ///
    /// enum Event {
    ///     Open,
    ///     Ask(Reply<u32>),
    ///     ClerkLeft(ExitReason),
    /// }
    ///
    /// impl Handler for Shop {
    ///     fn handle(state: ShopAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
    ///         match (state, event) {
    ///             (ShopAt::Closed(s), Event::Open) => {
    ///                 let clerk = cx.start(Builder::new().build(Working, ()), Event::ClerkLeft);
    ///                 s.go(Open { clerk })
    ///             }
    ///             (ShopAt::Open(s), Event::Ask(reply)) => {
    ///                 // Full or ended: the reply is dropped, and the caller learns at once.
    ///                 let _ = s.clerk.try_forward(reply, |reply| reply);
    ///                 statem::keep()
    ///             }
    ///             (ShopAt::Open(s), Event::ClerkLeft(_)) => s.go(Closed),
    ///             (_, event) => unexpected(event),
    ///         }
    ///     }
    /// }
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = Reply<u32>)]
    /// enum Clerk {
    ///     #[initial]
    ///     #[to()]
    ///     Working,
    /// }
    ///
    /// impl Handler for Clerk {
    ///     fn handle(_: ClerkAt<'_>, reply: Reply<u32>, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    ///         let _ = reply.send(7);
    ///         stop(ExitReason::Normal)
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let shop = spawn::<Shop>(Closed, ());
    /// let mut states = shop.watch();
    /// shop.cast(Event::Open).await.unwrap();
    /// assert_eq!(shop.call(Event::Ask).await.unwrap(), 7);
    /// // The clerk has left, so the shop closes.
    /// while !matches!(states.status(), statem::Status::Running("Closed")) {
    ///     states.changed().await;
    /// }
    /// # });
    /// ```
    pub fn start<C, Map>(&mut self, child: (Handle<C>, Driver<C>), ended: Map) -> Child<C>
    where
        C: Handler + Send + 'static,
        C::Event: Send,
        C::Data: Send,
        Map: FnOnce(ExitReason) -> M::Event + Send + 'static,
    {
        let (handle, driver) = child;
        Child {
            guard: self.task(Owned(driver), ended),
            handle,
        }
    }
}

/// A driver that ends with its owner, and then by its owner's wish and not by an accident.
struct Owned<M: Handler>(Driver<M>);

impl<M: Handler> Future for Owned<M> {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<M: Handler> Drop for Owned<M> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}
