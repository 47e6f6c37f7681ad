//! How a child is started, restarted and ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::decide::Restart;
use super::offspring::{Offspring, Worker};
use crate::backoff::Backoff;
use crate::driver::{Builder, Handle, Queue, Registry};
use crate::handler::Handler;
use crate::machine::Initial;
use crate::reason::ExitReason;

/// How long a worker may take to end unless it says otherwise; OTP's default.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A child of a [`Supervisor`](super::Supervisor): how it is started, restarted and ended.
///
/// What starts it is called for each life of the child and gives the state and the data of that life.
/// It runs in the supervisor's task, so it does not wait: a child that needs the network starts
/// disconnected and connects by itself. If it panics, that is a failure of the child.
///
/// Unless told otherwise a child is permanent, has five seconds to end, is ready when its first enter
/// call has finished, is restarted at once, and has its queue answered by a restart.
///
/// ```
/// use std::time::Duration;
/// use statem::supervisor::{Queue, Restart, Spec, Strategy, Supervisor};
/// use statem::{Backoff, Builder, Cx, Handler, Next, Reply, StateMachine, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Reply<u32>, data = u32)]
/// enum Sensor {
///     #[initial]
///     #[to(Warm)]
///     Cold,
///     #[to()]
///     Warm,
/// }
///
/// impl Handler for Sensor {
///     fn handle(state: SensorAt<'_>, reply: Reply<u32>, value: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
///         let _ = reply.send(*value);
///         match state {
///             SensorAt::Cold(s) => s.go(Warm),
///             SensorAt::Warm(_) => keep(),
///         }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut supervisor = Supervisor::new("boiler", Strategy::OneForOne);
/// let sensor = supervisor.child(
///     Spec::<Sensor>::new("sensor", || (Cold, 20))
///         .builder(|| Builder::new().mailbox(16))
///         .restart(Restart::Transient)
///         .backoff(Backoff::default())
///         .queue(Queue::Keep)
///         .ready_in(&["Warm"])
///         .shutdown(Duration::from_secs(1)),
/// );
/// let boiler = supervisor.spawn();
/// assert_eq!(sensor.call(|reply| reply).await.unwrap(), 20);
/// boiler.ready().await.unwrap();
/// boiler.stop().await;
/// # });
/// ```
#[must_use = "a child is started by a supervisor"]
pub struct Spec<M: Handler> {
    pub(super) name: Arc<str>,
    pub(super) rules: Rules,
    queue: Queue,
    builder: MakeBuilder<M>,
    start: Start<M>,
    ready_in: Option<&'static [&'static str]>,
    register: Option<Register<M>>,
}

impl<M: Handler> fmt::Debug for Spec<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

pub(super) type MakeBuilder<M> = Box<dyn FnMut() -> Builder<M> + Send>;

pub(super) type Start<M> = Box<dyn FnMut() -> (M, <M as crate::machine::Machine>::Data) + Send>;

/// Takes a name for a machine; what it gives owns the name.
pub(super) type Register<M> =
    Box<dyn FnMut(&Handle<M>) -> Result<Box<dyn Send>, ExitReason> + Send>;

/// What the supervisor keeps to.
pub(super) struct Rules {
    pub(super) restart: Restart,
    pub(super) shutdown: Shutdown,
    pub(super) backoff: Option<Backoff>,
}

impl Rules {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Rules {
            restart: Restart::default(),
            shutdown,
            backoff: None,
        }
    }
}

/// How a child is ended.
///
/// It is shut down as by [`Handle::shutdown`]: it drains by its own states where it says how, and
/// handles the messages that wait in any case. What differs is what happens to one that takes too
/// long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// It is killed after so long: its `terminate` is not called (N62).
    Within(Duration),
    /// It is waited for, however long it takes: for trees.
    Forever,
    /// It is killed at once (OTP's `brutal_kill`).
    Kill,
}

impl From<Duration> for Shutdown {
    fn from(limit: Duration) -> Self {
        Shutdown::Within(limit)
    }
}

impl<M: Handler + 'static> Spec<M> {
    /// A child by its name, which is the only one of its supervisor's children with it, and what
    /// starts it.
    pub fn new<S: Initial<M>>(
        name: impl Into<Arc<str>>,
        mut start: impl FnMut() -> (S, M::Data) + Send + 'static,
    ) -> Self {
        Spec {
            name: name.into(),
            rules: Rules::new(Shutdown::Within(SHUTDOWN)),
            queue: Queue::default(),
            builder: Box::new(Builder::new),
            start: Box::new(move || {
                let (state, data) = start();
                (state.wrap(), data)
            }),
            ready_in: None,
            register: None,
        }
    }

    /// The builder of each life, called once more before the first one: the bound of the mailbox and
    /// the limit of calls are those of that builder in all lives.
    pub fn builder(mut self, builder: impl FnMut() -> Builder<M> + Send + 'static) -> Self {
        self.builder = Box::new(builder);
        self
    }

    /// Which ends are followed by a restart: all, unless told otherwise.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.rules.restart = restart;
        self
    }

    /// How it is ended: within five seconds, unless told otherwise. A duration is
    /// [`Shutdown::Within`].
    pub fn shutdown(mut self, shutdown: impl Into<Shutdown>) -> Self {
        self.rules.shutdown = shutdown.into();
        self
    }

    /// How long to wait before each restart, in place of what the supervisor says; it starts over
    /// after a life as long as the period of the supervisor's intensity. Every restart counts towards
    /// the intensity, whether it is waited for or not.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = Some(backoff);
        self
    }

    /// What a restart does with the events that wait: it answers them, unless told otherwise (N76).
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queue = queue;
        self
    }

    /// The states, by name, of which each says that the child is ready: it is from the first of them
    /// that it enters until its life ends. Without it the child is ready in any state.
    ///
    /// A state that it passes in a moment may be missed, as by [`Handle::watch`] (N71).
    ///
    /// # Panics
    ///
    /// If the machine has no state of such a name.
    pub fn ready_in(mut self, states: &'static [&'static str]) -> Self {
        for name in states {
            assert!(
                M::GRAPH.states.iter().any(|state| state.name == *name),
                "`{}` has no state `{name}` to be ready in",
                M::GRAPH.name
            );
        }
        self.ready_in = Some(states);
        self
    }
}

impl<M> Spec<M>
where
    M: Handler + Send + 'static,
    M::Event: Send,
    M::Data: Send,
{
    /// Gives the child a name in a registry, by which others find it that have not its handle.
    ///
    /// The name belongs to the handle, so a restart does not free it: until the next life begins
    /// [`Registry::get`] gives the handle, too, and what is sent to it is kept or answered (N76). It
    /// is taken when the child is added to a supervisor that runs, or when its first life begins; it
    /// is free when the child has ended and is not to be restarted, before that is told (N61). When
    /// [`Tree::restart`](super::Tree::restart) starts it again it is taken again.
    ///
    /// If another machine has the name, [`Tree::start`](super::Tree::start) and `restart` fail with
    /// [`ChildError::AlreadyStarted`](super::ChildError::AlreadyStarted). A child that was there
    /// before its supervisor fails at its start, with [`AlreadyStarted`](crate::AlreadyStarted) as the
    /// reason, and is restarted as after any failure.
    ///
    /// ```
    /// use statem::Registry;
    /// use statem::supervisor::{Queue, Spec, Strategy, Supervisor};
    /// # use statem::{Cx, Handler, Next, Reply, StateMachine, keep};
    /// #
    /// # #[derive(StateMachine)]
    /// # #[machine(event = Event, data = u32)]
    /// # enum Room {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Open,
    /// # }
    /// #
    /// # enum Event {
    /// #     Size(Reply<u32>),
    /// #     Break,
    /// # }
    /// #
    /// # impl Handler for Room {
    /// #     fn handle(_: RoomAt<'_>, event: Event, size: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
    /// #         match event {
    /// #             Event::Size(reply) => drop(reply.send(*size)),
    /// #             Event::Break => panic!("broken"),
    /// #         }
    /// #         keep()
    /// #     }
    /// # }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let rooms: Registry<&str, Room> = Registry::new();
    /// let house = Supervisor::new("house", Strategy::Dynamic).spawn();
    /// let spec = Spec::<Room>::new("kitchen", || (Open, 12)).queue(Queue::Keep);
    /// house.start(spec.registered(&rooms, "kitchen")).await.unwrap();
    ///
    /// let kitchen = rooms.get("kitchen").unwrap();
    /// kitchen.cast(Event::Break).await.unwrap();
    /// // Whoever looks it up gets the next life.
    /// assert_eq!(rooms.get("kitchen").unwrap().call(Event::Size).await.unwrap(), 12);
    /// assert_eq!(kitchen.restarts(), 1);
    ///
    /// house.terminate("kitchen").await.unwrap();
    /// assert!(rooms.get("kitchen").is_none());
    /// # });
    /// ```
    pub fn registered<Name>(mut self, registry: &Registry<Name, M>, name: Name) -> Self
    where
        Name: Ord + Clone + Send + 'static,
    {
        let registry = registry.clone();
        self.register = Some(Box::new(move |handle| {
            match registry.register(name.clone(), handle.downgrade()) {
                Ok(registered) => Ok(Box::new(registered)),
                Err(error) => Err(ExitReason::other(error)),
            }
        }));
        self
    }

    /// The child and its handle.
    pub(super) fn split(mut self) -> (Handle<M>, Seed) {
        let worker = Worker::new(&(self.builder)(), self.queue, self.builder, self.start)
            .ready_in(self.ready_in)
            .registered(self.register);
        let handle = worker.handle();
        let seed = Seed {
            name: self.name,
            rules: self.rules,
            offspring: Box::new(worker),
        };
        (handle, seed)
    }
}

/// A child that is to be one of a supervisor's.
pub(super) struct Seed {
    pub(super) name: Arc<str>,
    pub(super) rules: Rules,
    pub(super) offspring: Box<dyn Offspring>,
}
