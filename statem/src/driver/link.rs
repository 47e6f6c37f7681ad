//! A machine that ends with another one (R92).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::handle::WeakHandle;
use super::observe::Closed;
use crate::context::Actions;
use crate::guard::Guard;
use crate::machine::Machine;
use crate::mailbox::Control;
use crate::reason::ExitReason;
use crate::source::Source;

impl<M> Actions<M>
where
    M: Machine + 'static,
    M::Event: Send,
{
    /// Links this machine to another one, as long as the returned [`Guard`] lives: when that one
    /// ends for any reason but [`ExitReason::Normal`], this one ends with [`ExitReason::Linked`].
    ///
    /// It ends at its turn, after the messages that wait already, and `terminate` is called. One
    /// that has ended already counts from the start of the link. Two machines end together if each
    /// links itself to the other. To be told instead, run [`Closed`] as a task.
    ///
    /// In an engine driven by hand it does nothing.
    ///
    /// ```
    /// use statem::{Closed, Cx, EnterCx, ExitReason, Guard, Handler, Next, StateMachine, keep, spawn};
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = (), data = Links)]
    /// enum Half {
    ///     #[initial]
    ///     #[to()]
    ///     Living,
    /// }
    ///
    /// #[derive(Default)]
    /// struct Links {
    ///     other: Option<Closed>,
    ///     link: Guard,
    /// }
    ///
    /// impl Handler for Half {
    ///     fn enter(&mut self, links: &mut Links, cx: &mut EnterCx<Self>) {
    ///         if let Some(other) = links.other.take() {
    ///             links.link = cx.link(other);
    ///         }
    ///     }
    ///
    ///     fn handle(_: HalfAt<'_>, (): (), _: &mut Links, _: &mut Cx<Self>) -> Next<Self> {
    ///         keep()
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let first = spawn::<Half>(Living, Links::default());
    /// let second = spawn::<Half>(Living, Links { other: Some(first.closed()), ..Links::default() });
    /// first.kill();
    /// let reason = second.closed().await;
    /// assert_eq!(reason.to_string(), "it ended with `Half`, which it is linked to: it was killed");
    /// # });
    /// ```
    pub fn link(&mut self, other: Closed) -> Guard {
        let this = self.handle();
        self.source(
            Linked {
                other: Some(other),
                this,
            },
            // Without one it would not be polled, though it gives no event.
            1,
        )
    }
}

/// Stops its machine when another one has failed. Gives no event.
struct Linked<M: Machine> {
    /// `None` when it has ended.
    other: Option<Closed>,
    this: WeakHandle<M>,
}

impl<M: Machine> Source<M::Event> for Linked<M>
where
    M::Event: Send,
{
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<M::Event>> {
        let Some(other) = &mut self.other else {
            return Poll::Ready(None);
        };
        let reason = ready!(Pin::new(&mut *other).poll(cx));
        let machine = other.machine;
        self.other = None;
        if !matches!(reason, ExitReason::Normal) {
            let linked = ExitReason::Linked {
                machine,
                reason: Arc::new(reason),
            };
            if let Some(mailbox) = self.this.mailbox.upgrade() {
                // It is polled, so it has not ended.
                let _ = mailbox.put_control(Control::Stop(Box::new(linked)));
            }
        }
        Poll::Ready(None)
    }
}
