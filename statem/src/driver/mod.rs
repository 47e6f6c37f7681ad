//! The driver: runs a machine as one task on tokio (feature `tokio`).
//!
//! *Life of a task.* [`spawn`] returns at once; init and the first enter call run in the task, so a
//! machine never needs the network to start (R86). The task then takes turns (see `task`), sleeps
//! while there is nothing to do, and ends in the order of N61.
//!
//! *Back-pressure.* The mailbox holds 1024 messages unless the [`Builder`] says otherwise; `cast`
//! and `call` wait for room, `try_cast` and `try_call` do not. Streams have credits (N40),
//! postponed and inserted events have bounds of their own (N31, N45).

mod call;
mod child;
pub(crate) mod clock;
mod forward;
mod handle;
mod limit;
mod link;
mod list;
mod lives;
mod observe;
mod question;
mod ready;
mod registry;
mod request;
#[cfg(feature = "serde")]
mod snapshot;
mod sys;
mod task;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::context::EnterCx;
use crate::engine::{Engine, INSERTED, Limits, POSTPONED};
use crate::handler::Handler;
use crate::machine::Initial;
use crate::mailbox::Mailbox;
use crate::record::Record;

pub use call::{Call, Cast};
pub use child::Child;
pub use handle::{Details, Handle, WeakHandle};
pub use list::{Running, running};
pub use lives::{Life, Lives, Queue};
pub use observe::{Closed, Watch};
pub use registry::{AlreadyStarted, Registry};
pub use request::Request;
pub use task::Driver;

/// Messages that a mailbox holds unless the [`Builder`] says otherwise.
const MAILBOX: usize = 1024;
/// How long a call waits for its answer unless it or the [`Builder`] says otherwise (N54).
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// Starts a machine in an initial state, as a task of the current tokio runtime.
///
/// Returns at once. The machine ends when the last [`Handle`] is dropped, when it stops or is
/// stopped, or with the runtime.
///
/// A start that fails is told by [`Handle::closed`], and by the outcome of every call. Whoever wants
/// to wait until the machine has come to a state follows it by [`Handle::watch`], and kills it when
/// that takes too long (R91): then `terminate` is not called, and nothing of it happens later.
///
/// ```
/// use std::time::Duration;
/// use statem::{Cx, Handler, Next, Reply, StateMachine, Status, keep, spawn};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = u32)]
/// enum Counter {
///     #[initial]
///     #[to(Done)]
///     Counting,
///     #[terminal]
///     Done,
/// }
///
/// enum Event {
///     Add(u32),
///     Total(Reply<u32>),
/// }
///
/// impl Handler for Counter {
///     fn handle(state: CounterAt<'_>, event: Event, total: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
///         let CounterAt::Counting(_) = state;
///         match event {
///             Event::Add(n) => *total += n,
///             Event::Total(reply) => drop(reply.send(*total)),
///         }
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let counter = spawn::<Counter>(Counting, 1);
/// counter.cast(Event::Add(2)).await.unwrap();
/// assert_eq!(counter.call(Event::Total).await.unwrap(), 3);
///
/// // A start with a limit.
/// let counter = spawn::<Counter>(Counting, 0);
/// let mut states = counter.watch();
/// let counting = async {
///     while !matches!(states.status(), Status::Running("Counting") | Status::Stopped(_)) {
///         states.changed().await;
///     }
/// };
/// if tokio::time::timeout(Duration::from_secs(1), counting).await.is_err() {
///     counter.kill();
/// }
/// assert!(matches!(counter.status(), Status::Running("Counting")));
/// # });
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime. In one without its timer (`enable_time`) the machine ends with
/// [`ExitReason::Panicked`](crate::ExitReason::Panicked) when it starts a timeout.
pub fn spawn<M>(state: impl Initial<M>, data: M::Data) -> Handle<M>
where
    M: Handler,
    M: Send + 'static, // or `Builder::build`, for a task that stays on its thread
    M::Event: Send,    // or `Builder::build`, for a task that stays on its thread
    M::Data: Send,     // or `Builder::build`, for a task that stays on its thread
{
    Builder::new().spawn(state, data)
}

/// What a machine does before its first enter call.
type Init<M> = Box<dyn FnOnce(&mut <M as crate::Machine>::Data, &mut EnterCx<M>) + Send>;

/// How a machine is started: its bounds, and what runs first.
///
/// A machine has one timer, which stays set to the earliest timeout it ran, also when that was
/// cancelled: on a paused clock time may jump there when all tasks wait for something else than a
/// timer. A `testing::Bench` has none.
///
/// ```
/// use std::rc::Rc;
/// use statem::{Builder, Cx, ExitReason, Handler, Next, StateMachine, stop};
///
/// /// Its data cannot be sent to another thread, so it runs on the task one is in.
/// #[derive(StateMachine)]
/// #[machine(event = &'static str, data = Rc<str>)]
/// enum Greeter {
///     #[initial]
///     #[to(Ready)]
///     Ready,
/// }
///
/// impl Handler for Greeter {
///     fn handle(_: GreeterAt<'_>, who: &'static str, greeting: &mut Rc<str>, _: &mut Cx<Self>) -> Next<Self> {
///         println!("{greeting}, {who}");
///         stop(ExitReason::Normal)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let (greeter, driver) = Builder::new().mailbox(8).build(Ready, Rc::from("hello"));
/// greeter.cast("world").await.unwrap();
/// assert!(matches!(driver.run().await, ExitReason::Normal));
/// # });
/// ```
#[must_use = "a builder does nothing until `spawn` or `build`"]
pub struct Builder<M: Handler> {
    mailbox: usize,
    postponed: usize,
    inserted: usize,
    call_limit: Duration,
    init: Option<Init<M>>,
    record: Option<Box<Record<M>>>,
    listed: Option<Arc<str>>,
}

impl<M: Handler> fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("machine", &M::GRAPH.name)
            .finish_non_exhaustive()
    }
}

impl<M: Handler> Builder<M> {
    /// A builder with the defaults.
    pub fn new() -> Self {
        Builder {
            mailbox: MAILBOX,
            postponed: POSTPONED,
            inserted: INSERTED,
            call_limit: CALL_LIMIT,
            init: None,
            record: None,
            listed: None,
        }
    }

    /// The most messages that wait in the mailbox, 1024 by default. At least one.
    pub fn mailbox(mut self, bound: usize) -> Self {
        self.mailbox = bound.max(1);
        self
    }

    /// The most events that are postponed at once, 1024 by default (N45). With 0 an event can be
    /// postponed only together with `go`.
    pub fn postponed(mut self, bound: usize) -> Self {
        self.postponed = bound;
        self
    }

    /// The most inserted events that wait at once, 1024 by default (N31). With 0 the first one ends
    /// the machine.
    pub fn inserted(mut self, bound: usize) -> Self {
        self.inserted = bound;
        self
    }

    /// The limit of calls that set none, 5 seconds by default (N54).
    pub fn call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }

    /// Runs in the machine's task before the first enter call, as one transition with it (N10):
    /// what it inserts is handled first. A panic in it ends the machine.
    pub fn init(
        mut self,
        init: impl FnOnce(&mut M::Data, &mut EnterCx<M>) + Send + 'static,
    ) -> Self {
        self.init = Some(Box::new(init));
        self
    }

    /// Starts the machine as a task of the current tokio runtime; see [`spawn`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn spawn(self, state: impl Initial<M>, data: M::Data) -> Handle<M>
    where
        M: Send + 'static, // or `build`, for a task that stays on its thread
        M::Event: Send,    // or `build`, for a task that stays on its thread
        M::Data: Send,     // or `build`, for a task that stays on its thread
    {
        let (handle, driver) = self.build(state, data);
        drop(tokio::spawn(driver));
        handle
    }

    /// The machine as a future to be run where one likes: on the task one is in, or on a local set,
    /// for machines whose state, event or data cannot be sent to another thread.
    ///
    /// Its clock starts here.
    pub fn build(self, state: impl Initial<M>, data: M::Data) -> (Handle<M>, Driver<M>) {
        let handle = self.handle();
        let driver = self.driver(&handle, |limits| {
            Engine::with_limits(state.wrap(), data, limits)
        });
        (handle, driver)
    }

    /// The first handle, before its machine.
    fn handle(&self) -> Handle<M> {
        Handle::new(Arc::new(Mailbox::new(
            self.mailbox,
            self.call_limit,
            clock::now().into_std(),
        )))
    }

    /// The machine of a handle.
    fn driver(self, handle: &Handle<M>, engine: impl FnOnce(Limits) -> Engine<M>) -> Driver<M> {
        let mut engine = engine(Limits::new(self.postponed, self.inserted));
        engine.set_record(self.record);
        if let Some(name) = self.listed {
            list::add::<M>(name, &handle.mailbox.published);
        }
        Driver::new(engine, self.init, handle.mailbox.clone())
    }
}

impl<M: Handler> Default for Builder<M> {
    fn default() -> Self {
        Self::new()
    }
}
