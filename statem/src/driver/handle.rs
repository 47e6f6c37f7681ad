//! The client side of a running machine: [`Handle`], [`WeakHandle`], and what they wait for.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::call::{self, Call, Cast};
use super::clock;
use super::observe::{Closed, LifeEnded, Watch};
use super::question::{Put, answer_within};
use crate::context::Actions;
use crate::engine::name_of;
use crate::error::{CallError, CastError, Panic};
use crate::inspect::{Inspection, Question};
use crate::machine::Machine;
use crate::mailbox::{Control, Mailbox, Message, Shut};
use crate::reason::ExitReason;
use crate::reply::{Answer, Reply};
use crate::watch::Status;

/// A running machine, from outside. Clone it for each user.
///
/// It keeps the machine alive: when the last one is dropped, the machine handles the messages that
/// wait and ends with [`ExitReason::Normal`] (N58). Messages of one sender keep their order (R121).
///
/// ```
/// use std::time::Duration;
/// use statem::{CallError, Cx, ExitReason, Handler, Next, Reply, StateMachine, Status, keep, spawn, stop};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = u32)]
/// enum Tickets {
///     #[initial]
///     #[to(SoldOut)]
///     Selling,
///     #[to(Selling)]
///     SoldOut,
/// }
///
/// enum Event {
///     Buy(Reply<u32, &'static str>),
/// }
///
/// impl Handler for Tickets {
///     fn handle(state: TicketsAt<'_>, Event::Buy(reply): Event, left: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
///         match state {
///             TicketsAt::Selling(s) => {
///                 let _ = reply.send(*left);
///                 *left -= 1;
///                 if *left == 0 { s.go(SoldOut) } else { keep() }
///             }
///             TicketsAt::SoldOut(_) => {
///                 let _ = reply.fail("sold out");
///                 keep()
///             }
///         }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let tickets = spawn::<Tickets>(Selling, 1);
/// assert_eq!(tickets.call(Event::Buy).await.unwrap(), 1);
/// // Whoever has an answer sees the state that the answer came from, or a later one.
/// assert!(matches!(tickets.status(), Status::Running("SoldOut")));
/// let late = tickets.call(Event::Buy).limit(Duration::from_millis(100)).await;
/// assert!(matches!(late, Err(CallError::Failed("sold out"))));
/// assert!(matches!(tickets.stop().await, ExitReason::Normal));
/// # });
/// ```
pub struct Handle<M: Machine> {
    pub(super) mailbox: Arc<Mailbox<M>>,
}

impl<M: Machine> Handle<M> {
    pub(super) fn new(mailbox: Arc<Mailbox<M>>) -> Self {
        Handle { mailbox }
    }

    /// Asks the machine something and waits for the answer, five seconds unless told otherwise.
    ///
    /// The event is made with the [`Reply`] that answers it, so `handle.call(Event::Total)` will
    /// often do. Waits for room when the mailbox is full. The future borrows the handle: to
    /// send it elsewhere, move a clone with it.
    ///
    /// # Errors
    ///
    /// See [`CallError`]; [`CallError::may_have_run`] tells whether to try again.
    pub fn call<T, E, F>(&self, event: F) -> Call<'_, M, T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Reply<T, E>) -> M::Event,
    {
        Call::new(&self.mailbox, event, true)
    }

    /// As [`Handle::call`], but fails with [`CallError::Full`] when the mailbox is full or others
    /// wait for room.
    pub fn try_call<T, E, F>(&self, event: F) -> Call<'_, M, T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Reply<T, E>) -> M::Event,
    {
        Call::new(&self.mailbox, event, false)
    }

    /// As [`Handle::call`], of an event that is made of `value`: a call whose type can be named, for
    /// a client that has futures of its own.
    ///
    /// ```
    /// use statem::{Call, Handle, Reply};
    /// # use statem::{Cx, Handler, Next, StateMachine, keep};
    /// # #[derive(StateMachine)]
    /// # #[machine(event = Event)]
    /// # enum Store {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Open,
    /// # }
    /// # impl Handler for Store {
    /// #     fn handle(_: StoreAt<'_>, Event::Get(_, reply): Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    /// #         let _ = reply.send(7);
    /// #         keep()
    /// #     }
    /// # }
    ///
    /// enum Event {
    ///     Get(String, Reply<u64>),
    /// }
    ///
    /// struct Get<'a> {
    ///     call: Call<'a, Store, u64, std::convert::Infallible, String>,
    /// }
    ///
    /// fn get(store: &Handle<Store>, key: String) -> Get<'_> {
    ///     Get { call: store.call_with(key, Event::Get) }
    /// }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let store = statem::spawn::<Store>(Open, ());
    /// # assert_eq!(get(&store, String::new()).call.await.unwrap(), 7);
    /// # });
    /// ```
    pub fn call_with<T, E, V>(
        &self,
        value: V,
        event: fn(V, Reply<T, E>) -> M::Event,
    ) -> Call<'_, M, T, E, V>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        Call::with(&self.mailbox, value, event, true)
    }

    /// Sends the machine an event; waits for room when the mailbox is full, first come, first
    /// served (N56).
    ///
    /// It is in the mailbox then, and not yet handled: what a source gives meanwhile, such as what a
    /// socket receives, may be handled before it (N20). What must be in force is a call.
    ///
    /// # Errors
    ///
    /// The event back, if the machine has stopped.
    pub fn cast(&self, event: M::Event) -> Cast<'_, M> {
        Cast::new(&self.mailbox, event)
    }

    /// Sends the machine an event without waiting.
    ///
    /// # Errors
    ///
    /// The event back, if the machine has stopped, the mailbox is full, or others wait for room in
    /// it (N56).
    pub fn try_cast(&self, event: M::Event) -> Result<(), CastError<M::Event>> {
        self.mailbox
            .try_put(Message { event, call: None })
            .map_err(call::given_back)
    }

    /// Stops the machine at its turn, after the messages that wait already (R120), and waits for
    /// its end.
    ///
    /// Calls in flight are told [`CallError::Stopped`]. Gives the reason of the end, which is
    /// another one if the machine ended first. A machine under a supervisor may be started again
    /// after that: it is one life of it that has ended, the next one if it was between two.
    ///
    /// Cancel safety: once it has been polled the request stays in force.
    pub async fn stop(&self) -> ExitReason {
        self.stop_with(ExitReason::Normal).await
    }

    /// As [`Handle::stop`], with a reason of one's own: an error, or another [`ExitReason`] (R120).
    ///
    /// If the reason is not a normal one the end is reported (R99), and machines that are
    /// [linked](Actions::link) to this one end with it. Of several stops that wait the first counts.
    ///
    /// Cancel safety: as [`Handle::stop`].
    pub async fn stop_with(&self, reason: impl Into<ExitReason>) -> ExitReason {
        let stop = Control::Stop(Box::new(reason.into()));
        self.end_by(stop, None).await
    }

    /// Asks the machine to end by itself within `limit`, and waits for its end (N59).
    ///
    /// A machine with `#[machine(shutdown = ..)]` gets that event in its turn and drains by its own
    /// states; any other machine is stopped at its turn. When the limit passes first it is stopped,
    /// ahead of its mailbox.
    ///
    /// Cancel safety: once it has been polled the request stays in force.
    pub async fn shutdown(&self, limit: Duration) -> ExitReason {
        let by = clock::since(self.mailbox.start).saturating_add(limit);
        let control = if drains::<M>() {
            Control::Shutdown
        } else {
            Control::Stop(Box::new(ExitReason::Shutdown))
        };
        self.end_by(control, Some(by)).await
    }

    /// Ends the machine before its next transition, without `terminate` (N62). It cannot interrupt
    /// a running handler. Does nothing to a machine that has ended, or that waits for its restart: it is
    /// the life that runs which is killed (N76).
    pub fn kill(&self) {
        self.mailbox.kill();
    }

    /// Waits for the end of the machine. Ready at once, and each time, after it has ended; dropping
    /// the future loses nothing. The restart of a machine under a supervisor is no end (N77).
    pub fn closed(&self) -> Closed {
        Closed::new(M::GRAPH.name, self.mailbox.published.clone())
    }

    /// What the machine is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.mailbox.published.status(name_of::<M>)
    }

    /// How often a supervisor has restarted the machine: `watch` may skip a short restart, this
    /// number does not (N77).
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.mailbox.published.restarts()
    }

    /// Follows the state of the machine (N71).
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.mailbox.published.clone(), name_of::<M>)
    }

    /// Looks at the machine in its turn, at rest: names and counts (N70). Within the limit of a call:
    /// five seconds unless [`Builder::call_limit`](crate::Builder::call_limit) says otherwise. For a
    /// shorter one of its own wrap it in a `tokio::time::timeout`.
    ///
    /// Cancel safety: dropping the future drops the answer; the machine is not disturbed.
    ///
    /// # Errors
    ///
    /// [`CallError::Stopped`] and [`CallError::TimedOut`]; [`CallError::Restarting`] between two lives
    /// of a machine under a supervisor; [`CallError::NotAnswered`] if the `Debug` of a timeout's name
    /// panicked, which the machine survives.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn inspect(&self) -> Result<Inspection, CallError> {
        self.put_question(|reply| {
            Question::Look(Box::new(|view| {
                if reply.take_up() {
                    let _ = reply.send(view.inspection);
                }
            }))
        })
        .await
    }

    /// As [`Handle::inspect`], with the state, the data and the postponed events: by the functions
    /// that the [`Builder`](crate::Builder) was given to show them with, else by `Debug`.
    ///
    /// Cancel safety: as [`Handle::inspect`].
    ///
    /// # Errors
    ///
    /// As [`Handle::inspect`]; [`CallError::Failed`] with the [`Panic`] of what shows a value, which
    /// the machine survives.
    ///
    /// # Panics
    ///
    /// As [`Handle::inspect`].
    pub async fn inspect_values(&self) -> Result<Details, CallError<Panic>>
    where
        M: fmt::Debug,
        M::Data: fmt::Debug,
        M::Event: fmt::Debug,
    {
        self.put_question(|reply| {
            Question::Look(Box::new(|view| {
                if !reply.take_up() {
                    return;
                }
                let shown = catch_unwind(AssertUnwindSafe(|| Details {
                    state: view
                        .state
                        .map(|state| text(view.show.state, state))
                        .unwrap_or_default(),
                    data: view
                        .data
                        .map(|data| text(view.show.data, data))
                        .unwrap_or_default(),
                    postponed: view
                        .postponed
                        .iter()
                        .map(|event| text(view.show.event, event))
                        .collect(),
                    inspection: view.inspection,
                }));
                match shown {
                    Ok(details) => drop(reply.send(details)),
                    Err(payload) => {
                        // Its drop may panic too, and what it says may be of the value (R131).
                        std::mem::forget(payload);
                        let text = format!("a `Debug` of `{}` panicked", M::GRAPH.name);
                        let _ = reply.fail(Panic(text));
                    }
                }
            }))
        })
        .await
    }

    /// A handle that does not keep the machine alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<M> {
        WeakHandle {
            mailbox: Arc::downgrade(&self.mailbox),
        }
    }

    /// Lets the machine live without handles: it then ends by itself, by the owner of a weak
    /// handle, or with its runtime (N58).
    pub fn detach(self) {
        self.mailbox.add_handle();
    }

    async fn end_by(&self, control: Control<M>, by: Option<Duration>) -> ExitReason {
        match self.mailbox.put_control_by(control, by) {
            // A machine that is restarted has more than one end (N76).
            Ok(lives) => LifeEnded::after(self.mailbox.published.clone(), lives).await,
            // A machine that is closing is waited for: its reason may still be replaced by a panic in
            // `terminate`.
            Err(_) => self.closed().await,
        }
    }

    pub(super) async fn put_question<T, E>(
        &self,
        question: impl FnOnce(Reply<T, E>) -> Question<M>,
    ) -> Result<T, CallError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let machine = M::GRAPH.name;
        let (reply, answer) = Answer::channel(machine, None, None);
        let put = Put::new(&self.mailbox, Box::new(question(reply)));
        answer_within(machine, put, answer, self.mailbox.call_limit).await
    }
}

/// Whether the machine ends by itself when it is shut down.
pub(super) fn drains<M: Machine>() -> bool {
    // The event is an expression of the user's. A panic in it is the machine's, which makes the event
    // again at its turn.
    catch_unwind(|| M::shutdown().is_some()).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        true
    })
}

/// A value by the function that shows it, else by `Debug`.
fn text<T: fmt::Debug>(show: Option<fn(&T) -> String>, value: &T) -> String {
    show.map_or_else(|| format!("{value:?}"), |show| show(value))
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        self.mailbox.add_handle();
        Handle {
            mailbox: self.mailbox.clone(),
        }
    }
}

impl<M: Machine> Drop for Handle<M> {
    fn drop(&mut self) {
        self.mailbox.drop_handle();
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("machine", &M::GRAPH.name)
            .field("status", &self.status())
            .finish()
    }
}

/// A handle that does not keep its machine alive (N58); what a machine's own sources use to reach
/// it (N57).
pub struct WeakHandle<M: Machine> {
    pub(super) mailbox: Weak<Mailbox<M>>,
}

impl<M: Machine> WeakHandle<M> {
    /// A handle, unless the machine has none left. Where others hold one, that of a machine that
    /// has ended is given too.
    #[must_use]
    pub fn upgrade(&self) -> Option<Handle<M>> {
        let mailbox = self.mailbox.upgrade()?;
        mailbox.upgrade().then(|| Handle { mailbox })
    }

    /// Sends the machine an event without waiting and without keeping it alive.
    ///
    /// # Errors
    ///
    /// As [`Handle::try_cast`].
    pub fn try_cast(&self, event: M::Event) -> Result<(), CastError<M::Event>> {
        match self.mailbox.upgrade() {
            Some(mailbox) => mailbox
                .try_put(Message { event, call: None })
                .map_err(call::given_back),
            None => {
                Err(Shut::Stopped(ExitReason::Aborted)
                    .give_back::<M>(Message { event, call: None }))
            }
        }
    }

    /// As [`Handle::kill`]; nothing if the machine has ended.
    pub fn kill(&self) {
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.kill();
        }
    }

    /// What the machine is doing. `None` when it has ended and nobody holds a handle: then its
    /// reason is forgotten.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        let mailbox = self.mailbox.upgrade()?;
        Some(mailbox.published.status(name_of::<M>))
    }

    /// Waits for the end of the machine. `None` as [`WeakHandle::status`].
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        let mailbox = self.mailbox.upgrade()?;
        Some(Closed::new(M::GRAPH.name, mailbox.published.clone()))
    }
}

impl<M: Machine> Clone for WeakHandle<M> {
    fn clone(&self) -> Self {
        WeakHandle {
            mailbox: self.mailbox.clone(),
        }
    }
}

impl<M: Machine> fmt::Debug for WeakHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHandle")
            .field("machine", &M::GRAPH.name)
            .finish()
    }
}

impl<M: Machine> Actions<M> {
    /// The machine's own handle, weak, to give to what runs beside it (N57). In an engine driven by
    /// hand it upgrades to nothing.
    #[must_use]
    pub fn handle(&self) -> WeakHandle<M> {
        WeakHandle {
            mailbox: self.mailbox().clone(),
        }
    }
}

/// A machine by the values of its types; see [`Handle::inspect_values`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Details {
    /// The state, as it is shown: by `Debug` unless the builder was told otherwise.
    pub state: String,
    /// The data, likewise.
    pub data: String,
    /// The postponed events, oldest first, likewise.
    pub postponed: Vec<String>,
    /// Names and counts.
    pub inspection: Inspection,
}
