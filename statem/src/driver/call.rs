//! Calls and casts from outside: the futures of a [`Handle`](crate::Handle).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::clock;
use super::limit::Limit;
use crate::error::{CallError, CastError, CastErrorKind};
use crate::machine::Machine;
use crate::mailbox::{Mailbox, Message, Refused, Shut, Ticket};
use crate::reason::Bound;
use crate::reply::{Answer, Deadline, Reply};

/// A call, made by [`Handle::call`](crate::Handle::call) and
/// [`Handle::try_call`](crate::Handle::try_call): a future of its one outcome (N50).
///
/// It is sent when it is first polled. Its limit counts from there and covers room in the mailbox,
/// waiting, being postponed and the answer; it runs without the machine's help (N54).
///
/// Cancel safety: dropped before a handler has begun with it, it will never be handled (N51, N52),
/// unless the machine keeps abandoned requests; dropped later, its answer is dropped.
///
/// Several requests in flight are several futures, and a `JoinSet` collects them as they are
/// answered (R119). Whoever stops waiting keeps a request by keeping its future, to be polled again,
/// and abandons it by dropping that (R117):
///
/// ```
/// use std::time::Duration;
/// use statem::{CallError, Cx, Handler, Next, Reply, StateMachine, keep, spawn};
/// use tokio::task::JoinSet;
/// use tokio::time::timeout;
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Kitchen {
///     #[initial]
///     #[to()]
///     Open,
/// }
///
/// enum Event {
///     Cook(Duration, Reply<&'static str>),
///     Ready(Reply<&'static str>),
/// }
///
/// impl Handler for Kitchen {
///     fn handle(_: KitchenAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             Event::Cook(time, reply) => cx.state_task(tokio::time::sleep(time), |()| Event::Ready(reply)),
///             // `Err` if nobody waits for it any more.
///             Event::Ready(reply) => drop(reply.send("a dish")),
///         }
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let kitchen = spawn::<Kitchen>(Open, ());
/// let mut orders = JoinSet::new();
/// for (label, seconds) in [("soup", 3), ("salad", 1), ("fish", 2)] {
///     let kitchen = kitchen.clone();
///     orders.spawn(async move {
///         let cook = |reply| Event::Cook(Duration::from_secs(seconds), reply);
///         (label, kitchen.call(cook).await)
///     });
/// }
/// let (label, dish) = orders.join_next().await.unwrap().unwrap();
/// assert_eq!((label, dish.unwrap()), ("salad", "a dish"));
///
/// // Keep waiting: the requests stay in flight when the time is over.
/// assert!(timeout(Duration::from_millis(500), orders.join_next()).await.is_err());
/// let (label, _) = orders.join_next().await.unwrap().unwrap();
/// assert_eq!(label, "fish");
///
/// // Abandon: what is left is given up, and its answer reaches nobody.
/// orders.shutdown().await;
///
/// // A limit abandons by itself, and says whether the request may have run.
/// let slow = |reply| Event::Cook(Duration::from_secs(9), reply);
/// let late = kitchen.call(slow).limit(Duration::from_secs(1)).await;
/// assert!(matches!(late, Err(CallError::TimedOut { begun: true, .. })));
/// # });
/// ```
///
/// A limit is a timer, and one timer is kept for the next call of the thread: on a paused clock it lets
/// time jump to the limit of a call that was answered when all tasks wait for something else than a
/// timer, such as a socket or another thread. Give a call of such a test `Duration::MAX`. A runtime
/// that was dropped is released with the next call of the thread on another one.
///
/// # Panics
///
/// When it is first polled outside of a tokio runtime with its timer enabled; it was not sent then.
#[must_use = "a call is sent when it is awaited, and not by `let _ =`"]
pub struct Call<'a, M: Machine, T: Send + 'static, E: Send + 'static, F> {
    mailbox: &'a Mailbox<M>,
    /// Taken when it is sent.
    event: Option<F>,
    /// A pointer, so that a call is a future whatever `F` is: a wrong event is one mistake at
    /// [`Handle::call`](crate::Handle::call), and not another one where the call is awaited.
    make: fn(F, Reply<T, E>) -> M::Event,
    limit: Until,
    waits: bool,
    sent: Option<Sent<T, E>>,
}

#[derive(Clone, Copy)]
enum Until {
    After(Duration),
    At(Instant),
}

struct Sent<T: Send + 'static, E: Send + 'static> {
    answer: Answer<T, E>,
    limit: Option<Limit>,
    /// While it waits for room in the mailbox.
    ticket: Option<u64>,
}

impl<'a, M: Machine, T: Send + 'static, E: Send + 'static, F> Call<'a, M, T, E, F> {
    pub(super) fn new(mailbox: &'a Mailbox<M>, event: F, waits: bool) -> Self
    where
        F: FnOnce(Reply<T, E>) -> M::Event,
    {
        Self::with(mailbox, event, |event, reply| event(reply), waits)
    }

    pub(super) fn with(
        mailbox: &'a Mailbox<M>,
        event: F,
        make: fn(F, Reply<T, E>) -> M::Event,
        waits: bool,
    ) -> Self {
        Call {
            mailbox,
            event: Some(event),
            make,
            limit: Until::After(mailbox.call_limit),
            waits,
            sent: None,
        }
    }

    /// How long to wait for the answer, in place of the machine's own limit; from the first poll on it
    /// is settled. `Duration::MAX` is no limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Until::After(limit);
        self
    }

    /// Until when to wait for the answer, as [`Call::limit`].
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.limit = Until::At(deadline);
        self
    }

    /// The value that the event will be made of, for a future with settings of its own around a call
    /// of [`Handle::call_with`](crate::Handle::call_with); of [`Handle::call`](crate::Handle::call)
    /// the function that makes it. `None` once the call was polled, for then it is sent.
    ///
    /// ```
    /// # use statem::{Cx, Handler, Next, Reply, StateMachine, keep};
    /// # #[derive(StateMachine)]
    /// # #[machine(event = Event)]
    /// # enum Store {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Open,
    /// # }
    /// # struct Query {
    /// #     fresh: bool,
    /// # }
    /// # enum Event {
    /// #     Get(Query, Reply<bool>),
    /// # }
    /// # impl Handler for Store {
    /// #     fn handle(_: StoreAt<'_>, Event::Get(query, reply): Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    /// #         let _ = reply.send(query.fresh);
    /// #         keep()
    /// #     }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let store = statem::spawn::<Store>(Open, ());
    /// let mut call = store.call_with(Query { fresh: false }, Event::Get);
    /// if let Some(query) = call.value_mut() {
    ///     query.fresh = true;
    /// }
    /// assert!(call.await.unwrap());
    /// # });
    /// ```
    pub fn value_mut(&mut self) -> Option<&mut F> {
        self.event.as_mut()
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), CallError<E>> {
        let machine = M::GRAPH.name;
        let mailbox = self.mailbox;
        let now = clock::now();
        // Not earlier: the caller has just written it in words, and it is read in larger pieces, for
        // which a processor without that much store forwarding waits. `GET of` shows it.
        let event = self
            .event
            .take()
            .expect("a call is not polled after it has ended");
        // A limit beyond the clock's range is no limit.
        let deadline = match self.limit {
            Until::After(limit) => now.checked_add(limit),
            Until::At(deadline) => Some(deadline),
        };
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(CallError::TimedOut {
                machine,
                begun: false,
            });
        }
        let of_machine = deadline.map(|deadline| Deadline {
            at: deadline.into_std(),
            start: mailbox.start,
        });
        let limit = deadline.map(|deadline| Limit::new(deadline, cx.waker()));
        let (reply, answer) = Answer::channel(machine, of_machine, Some(cx.waker()));
        let message = Message {
            event: (self.make)(event, reply),
            call: answer.cell(),
        };
        let ticket = match mailbox.try_put(message) {
            Ok(()) => Ok(None),
            Err(Refused::Full(message)) if self.waits => {
                mailbox.queue(message, cx.waker()).map(Some)
            }
            Err(refused) => Err(refused),
        };
        match ticket {
            Ok(ticket) => {
                self.sent = Some(Sent {
                    answer,
                    limit,
                    ticket,
                });
                Ok(())
            }
            Err(Refused::Full(_)) => Err(CallError::Full {
                machine,
                what: Bound::Mailbox,
            }),
            Err(Refused::Shut(_, shut)) => Err(shut.into_error(machine)),
        }
    }
}

impl<M: Machine, T: Send + 'static, E: Send + 'static, F> Unpin for Call<'_, M, T, E, F> {}

impl<M: Machine, T: Send + 'static, E: Send + 'static, F> Future for Call<'_, M, T, E, F> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let is_new = this.event.is_some();
        if is_new {
            if let Err(error) = this.send(cx) {
                return Poll::Ready(Err(error));
            }
        }
        let sent = this
            .sent
            .as_mut()
            .expect("a call is not polled after it has ended");
        // It was sent with the waker: an answer that is there already has woken this task.
        if !is_new {
            if let Poll::Ready(outcome) = Pin::new(&mut sent.answer).poll(cx) {
                this.sent = None;
                return Poll::Ready(outcome);
            }
        }
        if sent
            .limit
            .as_mut()
            .is_none_or(|limit| limit.poll(cx).is_pending())
        {
            return Poll::Pending;
        }
        let outcome = this.give_up().unwrap_or(Err(CallError::TimedOut {
            machine: M::GRAPH.name,
            begun: true,
        }));
        Poll::Ready(outcome)
    }
}

impl<M: Machine, T: Send + 'static, E: Send + 'static, F> Call<'_, M, T, E, F> {
    /// Gives the call up. Its outcome: the answer that came meanwhile, or that there is none.
    fn give_up(&mut self) -> Option<Result<T, CallError<E>>> {
        let mut sent = self.sent.take()?;
        Some(sent.answer.give_up().unwrap_or_else(|mut begun| {
            if !begun {
                let ticket = sent.ticket;
                if let Some(message) = ticket.and_then(|ticket| self.mailbox.withdraw(ticket)) {
                    drop(message);
                } else {
                    self.mailbox.abandon();
                    // It is in the mailbox, or further: this machine will handle it all the same.
                    begun = M::KEEP_ABANDONED;
                }
            }
            Err(CallError::TimedOut {
                machine: M::GRAPH.name,
                begun,
            })
        }))
    }
}

impl<M: Machine, T: Send + 'static, E: Send + 'static, F> Drop for Call<'_, M, T, E, F> {
    #[inline]
    fn drop(&mut self) {
        if self.sent.is_some() {
            drop(self.give_up());
        }
    }
}

impl<M: Machine, T: Send, E: Send, F> fmt::Debug for Call<'_, M, T, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("machine", &M::GRAPH.name)
            .field("sent", &self.sent.is_some())
            .finish_non_exhaustive()
    }
}

/// A cast, made by [`Handle::cast`](crate::Handle::cast): a future that is ready when the event is
/// in the mailbox.
///
/// Cancel safety: dropped while it waits for room it has sent nothing, and the event is dropped
/// (N56). Once there was room for it, it is sent, even if the future is dropped before it is polled
/// again.
#[must_use = "a cast is sent when it is awaited, and not by `let _ =`"]
pub struct Cast<'a, M: Machine> {
    mailbox: &'a Mailbox<M>,
    /// Taken when it is sent or queued.
    event: Option<M::Event>,
    ticket: Option<u64>,
}

impl<'a, M: Machine> Cast<'a, M> {
    pub(super) fn new(mailbox: &'a Mailbox<M>, event: M::Event) -> Self {
        Cast {
            mailbox,
            event: Some(event),
            ticket: None,
        }
    }
}

impl<M: Machine> Unpin for Cast<'_, M> {}

impl<M: Machine> Future for Cast<'_, M> {
    type Output = Result<(), CastError<M::Event>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mailbox = self.mailbox;
        if let Some(ticket) = self.ticket {
            return match mailbox.poll_ticket(ticket, cx.waker()) {
                Ticket::Waiting => Poll::Pending,
                Ticket::Sent | Ticket::Shut(None, _) => {
                    self.ticket = None;
                    Poll::Ready(Ok(()))
                }
                Ticket::Shut(Some(message), shut) => {
                    self.ticket = None;
                    Poll::Ready(Err(shut.give_back(message)))
                }
            };
        }
        let event = self
            .event
            .take()
            .expect("a cast is not polled after it has ended");
        let refused = match self.mailbox.try_put(Message { event, call: None }) {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(refused) => refused,
        };
        let queued = match refused {
            Refused::Full(message) => self.mailbox.queue(message, cx.waker()),
            shut @ Refused::Shut(..) => Err(shut),
        };
        match queued {
            Ok(ticket) => {
                self.ticket = Some(ticket);
                // It may have been let in at once.
                self.poll(cx)
            }
            Err(refused) => Poll::Ready(Err(given_back(refused))),
        }
    }
}

impl<M: Machine> Drop for Cast<'_, M> {
    fn drop(&mut self) {
        drop(self.ticket.and_then(|ticket| self.mailbox.withdraw(ticket)));
    }
}

impl<M: Machine> fmt::Debug for Cast<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cast")
            .field("machine", &M::GRAPH.name)
            .field("waits", &self.ticket.is_some())
            .finish_non_exhaustive()
    }
}

/// The event of a cast that was refused.
pub(super) fn given_back<M: Machine>(refused: Refused<Message<M>>) -> CastError<M::Event> {
    match refused {
        Refused::Full(message) => CastError {
            event: message.event,
            kind: CastErrorKind::Full,
        },
        Refused::Shut(message, shut) => shut.give_back(message),
    }
}

impl Shut {
    pub(super) fn into_error<E>(self, machine: &'static str) -> CallError<E> {
        match self {
            Shut::Stopped(reason) => CallError::Stopped {
                machine,
                reason,
                begun: false,
            },
            Shut::Between { .. } | Shut::Restarting { .. } => CallError::Restarting { machine },
        }
    }

    pub(super) fn give_back<M: Machine>(self, message: Message<M>) -> CastError<M::Event> {
        CastError {
            event: message.event,
            kind: match self {
                Shut::Stopped(reason) => CastErrorKind::Stopped(reason),
                Shut::Between { .. } | Shut::Restarting { .. } => CastErrorKind::Restarting,
            },
        }
    }
}
