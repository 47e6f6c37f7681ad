//! A call that one machine gives to another (N54a).

use super::call;
use super::handle::{Handle, WeakHandle};
use crate::error::CastError;
use crate::machine::Machine;
use crate::mailbox::{Mailbox, Message, Shut};
use crate::reason::ExitReason;
use crate::reply::Reply;

impl<M: Machine> Handle<M> {
    /// Gives a call that was made to another machine to this one, with what is left of its limit;
    /// without waiting (N54a).
    ///
    /// To this machine it is a call as any other: [`Cx::deadline`](crate::Cx::deadline) and
    /// [`Reply::deadline`] count from the start of this machine, it is not handled once its caller
    /// has gone (N52), and its caller is told if it is refused (N45) or the machine ends. As with
    /// [`postpone`](crate::postpone) it is the word of whoever forwards that nothing was done about
    /// the call: until a handler here gets it, it has not begun (N51). A reply that is sent on in
    /// an event by [`try_cast`](Handle::try_cast) is answered as well, but nothing of this holds.
    ///
    /// # Errors
    ///
    /// The event back, with the reply in it, as [`Handle::try_cast`]: answer it, keep it or
    /// postpone it.
    ///
    /// ```
    /// use statem::{CallError, Cx, Handle, Handler, Next, Reply, StateMachine, keep, spawn};
    ///
    /// /// Gives each question to a clerk.
    /// #[derive(StateMachine)]
    /// #[machine(event = Reply<u32, &'static str>, data = Handle<Clerk>)]
    /// enum Desk {
    ///     #[initial]
    ///     #[to()]
    ///     Open,
    /// }
    ///
    /// impl Handler for Desk {
    ///     fn handle(_: DeskAt<'_>, reply: Reply<u32, &'static str>, clerk: &mut Handle<Clerk>, _: &mut Cx<Self>) -> Next<Self> {
    ///         if let Err(refused) = clerk.try_forward(reply, |reply| reply) {
    ///             let _ = refused.into_event().fail("no clerk has time");
    ///         }
    ///         keep()
    ///     }
    /// }
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = Reply<u32, &'static str>)]
    /// enum Clerk {
    ///     #[initial]
    ///     #[to()]
    ///     Working,
    /// }
    ///
    /// impl Handler for Clerk {
    ///     fn handle(_: ClerkAt<'_>, reply: Reply<u32, &'static str>, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    ///         let _ = reply.send(7);
    ///         keep()
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let clerk = spawn::<Clerk>(Working, ());
    /// let desk = spawn::<Desk>(Open, clerk.clone());
    /// assert_eq!(desk.call(|reply| reply).await.unwrap(), 7);
    /// clerk.stop().await;
    /// let late = desk.call(|reply| reply).await;
    /// assert!(matches!(late, Err(CallError::Failed("no clerk has time"))));
    /// # });
    /// ```
    pub fn try_forward<T, E, F>(
        &self,
        reply: Reply<T, E>,
        event: F,
    ) -> Result<(), CastError<M::Event>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Reply<T, E>) -> M::Event,
    {
        forward(Some(&*self.mailbox), reply, event)
    }
}

impl<M: Machine> WeakHandle<M> {
    /// As [`Handle::try_forward`], without keeping the machine alive.
    ///
    /// # Errors
    ///
    /// As [`WeakHandle::try_cast`].
    pub fn try_forward<T, E, F>(
        &self,
        reply: Reply<T, E>,
        event: F,
    ) -> Result<(), CastError<M::Event>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Reply<T, E>) -> M::Event,
    {
        forward(self.mailbox.upgrade().as_deref(), reply, event)
    }
}

fn forward<M: Machine, T: Send + 'static, E: Send + 'static>(
    to: Option<&Mailbox<M>>,
    reply: Reply<T, E>,
    event: impl FnOnce(Reply<T, E>) -> M::Event,
) -> Result<(), CastError<M::Event>> {
    let call = reply.cell();
    let message = Message {
        event: event(reply),
        call,
    };
    match to {
        Some(mailbox) => mailbox.try_forward(message).map_err(call::given_back),
        None => Err(Shut::Stopped(ExitReason::Aborted).give_back(message)),
    }
}
