//! Several lives of a machine behind one handle (N76, N77).

mod life;
mod shell;

use std::fmt;
use std::sync::Arc;

use super::Builder;
use super::handle::Handle;
use crate::engine::Engine;
use crate::handler::Handler;
use crate::machine::Initial;
use crate::reason::ExitReason;
use crate::sync::atomic::Ordering;
use crate::watch::Status;

pub use life::Life;
use shell::{Asked, Shell, control_of_end};

/// What a restart does with the events that wait (N76).
///
/// The event that was being handled when the machine failed is never offered again, and a request
/// that a handler had consumed is told [`CallError::Stopped`](crate::CallError::Stopped) with the
/// reason, either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queue {
    /// Calls are answered with [`CallError::Restarting`](crate::CallError::Restarting), which says
    /// that they have not run. Casts that had found room are dropped; a warning says how many. Until
    /// the next life begins calls fail at once and casts are given back.
    #[default]
    Answer,
    /// Calls and casts that no handler has consumed are offered to the next life: first those that
    /// were postponed, then those in the mailbox, each in its order. What comes until then waits too,
    /// under its own limit. An event that was kept through three restarts and is to be kept once more
    /// is answered, or dropped, as by `Answer`: it may be what the machine fails of.
    Keep,
}

/// A machine that may be started again behind one [`Handle`]: what a supervisor makes restarts of, to
/// be used where its rules do not fit.
///
/// A life is one run of the machine from a state and data of its own. What stays from one to the next
/// is the mailbox with the senders that wait for room in it, the limits of calls, and the machine's
/// clock (N76). [`Handle::closed`] is told of the end when this value and all its lives are gone, and
/// not of a restart (N77).
///
/// ```
/// use statem::supervisor::{Lives, Queue};
/// use statem::{Builder, Cx, ExitReason, Handler, Next, Reply, StateMachine, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = u32)]
/// enum Counter {
///     #[initial]
///     #[to()]
///     Counting,
/// }
///
/// enum Event {
///     Next(Reply<u32>),
///     Break,
/// }
///
/// impl Handler for Counter {
///     fn handle(_: CounterAt<'_>, event: Event, count: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             Event::Next(reply) => {
///                 *count += 1;
///                 let _ = reply.send(*count);
///             }
///             Event::Break => panic!("broken"),
///         }
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut lives = Lives::<Counter>::new(&Builder::new(), Queue::Keep);
/// let counter = lives.handle();
/// let first = lives.begin(Builder::new(), Counting, 0);
/// counter.cast(Event::Break).await.unwrap();
/// let (reason, number) = tokio::join!(
///     async {
///         let reason = first.await;
///         tokio::spawn(lives.begin(Builder::new(), Counting, 10));
///         reason
///     },
///     counter.call(Event::Next),
/// );
/// assert!(matches!(reason, ExitReason::Panicked { .. }));
/// // The call waited behind the event that broke the machine, and was answered by its next life.
/// assert_eq!(number.unwrap(), 11);
/// assert_eq!(counter.restarts(), 1);
/// # });
/// ```
pub struct Lives<M: Handler> {
    shell: Arc<Shell<M>>,
}

impl<M: Handler> Lives<M> {
    /// A machine that has not begun to live. Its mailbox and the limit of its calls are those of this
    /// builder in all its lives; what is sent waits for the first one.
    #[must_use]
    pub fn new(builder: &Builder<M>, queue: Queue) -> Self {
        Lives {
            shell: Arc::new(Shell::new(builder.handle(), queue)),
        }
    }

    /// A handle, for all lives.
    #[must_use]
    pub fn handle(&self) -> Handle<M> {
        self.shell.handle.clone()
    }

    /// The next life, to be polled or spawned: it begins with its first poll. If one has ended before
    /// this is a restart, as by [`Lives::restart`].
    pub fn begin(&mut self, builder: Builder<M>, state: impl Initial<M>, data: M::Data) -> Life<M> {
        self.begin_in(builder, state.wrap(), data)
    }

    /// As [`Lives::begin`], in a state of the enum.
    pub(crate) fn begin_in(&mut self, mut builder: Builder<M>, state: M, data: M::Data) -> Life<M> {
        self.restart();
        if self.shell.begun.load(Ordering::Relaxed) > 0 {
            // The list has it already.
            builder.listed = None;
        }
        let driver = builder.driver(&self.shell.handle, |limits| {
            Engine::with_limits(state, data, limits)
        });
        Life::new(driver, self.shell.clone())
    }

    /// Says that the machine will live again, if a life has ended since this was last said: what waits
    /// is kept or answered, and [`Handle::status`] is [`Status::Restarting`](crate::Status::Restarting)
    /// until the next life begins (N77). For whoever waits before [`Lives::begin`].
    pub fn restart(&mut self) {
        self.shell.restart();
    }

    /// Says that the machine will not live again, after the end of a life: whoever waits for it gets
    /// the reason, as after the end of any machine (N61). The drop of this value does the same.
    ///
    /// Should it live again after all, [`Lives::begin`] opens the mailbox anew, for the same handles.
    pub fn end(&mut self) {
        self.shell.end();
    }

    /// Has the life that runs end at its next turn, shut down, whatever waits; nothing if none runs.
    pub fn let_go(&self) {
        self.shell.let_go();
    }

    /// Asks the life that was made last to end by itself, as [`Handle::shutdown`], without a limit, and
    /// the one that still runs before it. Nothing if they have ended: no later life is asked.
    pub fn shut_down(&self) {
        if self.shell.ask(Asked::ShutDown) {
            self.shell.handle.mailbox.end_life(control_of_end());
        }
    }
}

/// For a supervisor.
impl<M: Handler> Lives<M> {
    /// No next life could be made. Should none follow, the reason is told as that of the end.
    pub(crate) fn start_failed(&mut self, reason: ExitReason) {
        self.shell.start_failed(reason);
    }

    /// As [`Lives::shut_down`], but kills.
    pub(crate) fn kill(&self) {
        if self.shell.ask(Asked::Kill) {
            self.shell.handle.kill();
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.shell.handle.status()
    }

    /// The machine has a name, and this owns it until its end is told.
    pub(crate) fn set_name(&mut self, name: Box<dyn Send>) {
        let before = self.shell.name().replace(name);
        drop(before);
    }

    pub(crate) fn has_name(&self) -> bool {
        self.shell.name().is_some()
    }

    /// Messages that wait.
    pub(crate) fn queue(&self) -> usize {
        self.shell.handle.mailbox.lengths().0
    }

    /// Is over when a life that begins after this call is in a state that is `wanted`.
    pub(crate) fn next_in<F>(&self, wanted: F) -> impl Future<Output = ()> + use<M, F>
    where
        F: Fn(&'static str) -> bool,
    {
        let shell = Arc::downgrade(&self.shell);
        let before = self.shell.begun.load(Ordering::Acquire);
        let mut watch = self.shell.handle.watch();
        async move {
            while let Some(shell) = shell.upgrade() {
                let has_begun = shell.begun.load(Ordering::Acquire) > before;
                drop(shell);
                match watch.status() {
                    Status::Running(state) if has_begun && wanted(state) => break,
                    _ => drop(watch.changed().await),
                }
            }
        }
    }
}

impl<M: Handler> fmt::Debug for Lives<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lives").field(&self.shell.handle).finish()
    }
}
