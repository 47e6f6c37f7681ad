//! Machines that are started again when they fail: OTP's supervisor (feature `tokio`).
//!
//! A [`Supervisor`] starts its children in order, each as a task of its own, and is told of every
//! end. Whether a child is started again, and who with it, is said by its [`Restart`] and the
//! [`Strategy`]; more than so many restarts within a period end the supervisor, for its own supervisor
//! to deal with. Its children end before it does, the last one first.
//!
//! *It is about the guarantees.* A restart brings a child back to a state that is known to be good.
//! That is worth something only if the start needs nothing that may be missing: a child whose start
//! needs the network fails again and again while the network is down, the supervisor gives up, and so
//! does the one above it, until everything is down for want of one server. A child that starts
//! *disconnected* promises less and keeps it, and the tree stands; see the example `guarantees`, and
//! the page [`guide::supervision`](crate::guide::supervision), which builds this up step by step.
//!
//! *What is not OTP's.* A child's [`Handle`] is there before the child and survives its restarts, with
//! its [`Queue`] kept or answered, so that a child may be given the handles of others; so does its
//! name in a registry ([`Spec::registered`]). A restart may wait with a [`Backoff`]. Starting does
//! not wait for the init of a child: [`Tree::ready`] does, for the whole tree. A child that fails at
//! its start fails as at any other time. The reason of a supervisor that gives up is
//! [`TooManyRestarts`] and not a shutdown, so that a transient one is restarted too.
//!
//! The supervisor is itself a machine, [`Supervision`].
//!
//! ```
//! use std::time::Duration;
//! use statem::supervisor::{Queue, Spec, Strategy, Supervisor};
//! use statem::{Cx, Handler, Next, Reply, StateMachine, keep};
//!
//! #[derive(StateMachine)]
//! #[machine(event = Event, data = u32)]
//! enum Counter {
//!     #[initial]
//!     #[to()]
//!     Counting,
//! }
//!
//! enum Event {
//!     Next(Reply<u32>),
//!     Break,
//! }
//!
//! impl Handler for Counter {
//!     fn handle(_: CounterAt<'_>, event: Event, count: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
//!         match event {
//!             Event::Next(reply) => {
//!                 *count += 1;
//!                 let _ = reply.send(*count);
//!             }
//!             Event::Break => panic!("broken"),
//!         }
//!         keep()
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let mut supervisor = Supervisor::new("app", Strategy::OneForOne).intensity(3, Duration::from_secs(5));
//! let counter = supervisor.child(Spec::<Counter>::new("counter", || (Counting, 0)).queue(Queue::Keep));
//! let app = supervisor.spawn();
//!
//! assert_eq!(counter.call(Event::Next).await.unwrap(), 1);
//! counter.cast(Event::Break).await.unwrap();
//! // The same handle, the next life.
//! assert_eq!(counter.call(Event::Next).await.unwrap(), 1);
//! assert_eq!(app.children().await.unwrap()[0].restarts, 1);
//! app.stop().await;
//! # });
//! ```

mod decide;
mod error;
mod family;
mod kid;
mod machine;
mod offspring;
mod report;
mod request;
mod spec;
mod tree;

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::backoff::Backoff;
use crate::driver::Handle;
use crate::handler::Handler;
use crate::machine::Node;
use crate::sync::Mutex;

pub use crate::driver::{Life, Lives, Queue};
pub use decide::{Restart, Strategy};
pub use error::{ChildError, TooManyRestarts};
use family::{Config, Family, Home};
use machine::Supervising;
pub use machine::Supervision;
use offspring::{Nested, Worker};
pub use report::{ChildInfo, Report};
use spec::{Rules, Seed};
pub use spec::{Shutdown, Spec};
pub use tree::{Tree, WeakTree};

/// A supervisor that is not running yet: its children and the rules it keeps to.
#[must_use = "a supervisor is started by `spawn`"]
pub struct Supervisor {
    config: Config,
    restart: Restart,
    seeds: Vec<Seed>,
}

impl Supervisor {
    /// A supervisor without children. More than one restart within five seconds ends it, as OTP's,
    /// unless [`Supervisor::intensity`] says otherwise.
    pub fn new(name: impl Into<Arc<str>>, strategy: Strategy) -> Self {
        Supervisor {
            config: Config {
                name: name.into(),
                strategy,
                intensity: 1,
                period: Duration::from_secs(5),
                backoff: None,
                limit: None,
            },
            restart: Restart::default(),
            seeds: Vec::new(),
        }
    }

    /// How many restarts there may be within which time: one more ends the supervisor. The restart of
    /// a group counts once.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.config.intensity = restarts;
        self.config.period = period;
        self
    }

    /// How long each child waits before it is restarted, unless it says itself; each has a copy of its
    /// own, so that those that fail at once do not come back at once, whether there is a
    /// [seed](Backoff::seed) or not. A group waits as long as the child that failed.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = Some(backoff);
        self
    }

    /// How many children there may be for [`Tree::start`] and [`Tree::start_tree`] to add one: beyond
    /// that they fail with [`ChildError::Full`]. No limit unless this is called.
    ///
    /// Every child counts that [`Tree::children`] lists, also one that has ended and one that waits
    /// for its restart; so do those that were there before the supervisor, which are never refused.
    ///
    /// ```
    /// use statem::CallError;
    /// use statem::supervisor::{ChildError, Restart, Spec, Strategy, Supervisor};
    /// # use statem::{Cx, ExitReason, Handler, Next, StateMachine, stop};
    /// #
    /// # #[derive(StateMachine)]
    /// # #[machine(event = ())]
    /// # enum Job {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Working,
    /// # }
    /// #
    /// # impl Handler for Job {
    /// #     fn handle(_: JobAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    /// #         stop(ExitReason::Normal)
    /// #     }
    /// # }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let jobs = Supervisor::new("jobs", Strategy::Dynamic).limit(1).spawn();
    /// let job = |name| Spec::<Job>::new(name, || (Working, ())).restart(Restart::Temporary);
    /// let first = jobs.start(job("first")).await.unwrap();
    /// let full = jobs.start(job("second")).await;
    /// assert!(matches!(full, Err(CallError::Failed(ChildError::Full { limit: 1 }))));
    /// // A temporary child is forgotten when it has ended.
    /// jobs.terminate("first").await.unwrap();
    /// jobs.start(job("second")).await.unwrap();
    /// # drop(first);
    /// # });
    /// ```
    pub fn limit(mut self, children: usize) -> Self {
        self.config.limit = Some(children);
        self
    }

    /// Which ends of this supervisor are followed by a restart, where it is the child of another one.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Adds a child, as the last one, and gives its handle: what is sent before the child is started
    /// waits for it.
    ///
    /// # Panics
    ///
    /// If there is a child of this name.
    pub fn child<M>(&mut self, spec: Spec<M>) -> Handle<M>
    where
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
    {
        let (handle, seed) = spec.split();
        self.add(seed);
        handle
    }

    /// Adds a supervisor as a child. It is waited for when it is ended, however long that takes, and
    /// when it is restarted the handles of its children survive, too.
    ///
    /// # Panics
    ///
    /// As [`Supervisor::child`].
    pub fn tree(&mut self, supervisor: Supervisor) -> Tree {
        let (tree, seed) = supervisor.split(Rules::new(Shutdown::Forever));
        self.add(seed);
        tree
    }

    fn add(&mut self, seed: Seed) {
        let is_taken = self.seeds.iter().any(|other| other.name == seed.name);
        assert!(
            !is_taken,
            "the supervisor `{}` has a child `{}` already",
            self.config.name, seed.name
        );
        self.seeds.push(seed);
    }

    /// Starts the supervisor as a task of the current tokio runtime, and that its children.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one without its timer.
    #[must_use = "dropped, the supervisor ends at once, and all its children"]
    pub fn spawn(self) -> Tree {
        let name = self.config.name.clone();
        let family = Family::new(self.config, self.seeds, std::sync::Weak::new());
        let handle = machine::builder().spawn(Supervising, family);
        Tree { name, handle }
    }

    /// As a child of another one.
    fn split(self, mut rules: Rules) -> (Tree, Seed) {
        rules.restart = self.restart;
        let name = self.config.name.clone();
        let home: Arc<Home> = Arc::new(Mutex::new(self.seeds));
        let config = self.config;
        let worker = Worker::new(
            &machine::builder(),
            Queue::Keep,
            Box::new(machine::builder),
            Box::new(move || {
                let mut at_home = home.lock().unwrap_or_else(PoisonError::into_inner);
                let seeds = std::mem::take(&mut *at_home);
                drop(at_home);
                let family = Family::new(config.clone(), seeds, Arc::downgrade(&home));
                (Supervising.wrap(), family)
            }),
        );
        let tree = Tree {
            name: name.clone(),
            handle: worker.handle(),
        };
        let offspring = Box::new(Nested {
            worker,
            tree: tree.downgrade(),
        });
        let seed = Seed {
            name,
            rules,
            offspring,
        };
        (tree, seed)
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.seeds.iter().map(|seed| &seed.name);
        f.debug_struct("Supervisor")
            .field("name", &self.config.name)
            .field("strategy", &self.config.strategy)
            .field("children", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
