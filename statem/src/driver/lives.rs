//! Several lives of a machine behind one handle (N76, N77).

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use super::Builder;
use super::handle::{Handle, drains};
use super::observe::LifeEnded;
use super::task::Driver;
use crate::engine::{Engine, drop_at_end};
use crate::handler::Handler;
use crate::machine::{Initial, Machine};
use crate::mailbox::Control;
use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::trace::warning;
use crate::watch::Status;

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

/// One life of a machine: a future that runs it, and ends with the reason of its end.
///
/// It first waits for the end of the life before. Dropped before it has ended, that life ends at once
/// with [`ExitReason::Aborted`].
#[must_use = "a machine runs only while its life is polled"]
pub struct Life<M: Handler> {
    driver: Driver<M>,
    shell: Arc<Shell<M>>,
    /// Of those that were made, from 1.
    number: u64,
    begun: Begun,
    owner_has_gone: Option<Arc<AtomicBool>>,
}

enum Begun {
    /// Another life may still run.
    No(Option<LifeEnded>),
    Yes,
    Ended,
}

/// What outlives a life; the last to hold it ends the machine.
struct Shell<M: Machine> {
    /// Strong, so that a machine does not end because nobody happens to hold a handle (N58).
    handle: Handle<M>,
    queue: Queue,
    /// Lives that were begun: the next one begins when as many have ended.
    begun: AtomicU64,
    /// Owns the machine's name in a registry (N61 step 9).
    name: Mutex<Option<Box<dyn Send>>>,
    /// Lives that had ended when a restart was last said.
    said: AtomicU64,
    latest: Mutex<Latest>,
}

/// The life that was made last. What is asked of one that was not polled yet is kept here and not in
/// the mailbox, where the life after it would find it.
#[derive(Default)]
struct Latest {
    number: u64,
    /// Whether any life has begun. Before that the mailbox is open, though nobody is there to end.
    any_has_begun: bool,
    asked: Asked,
    /// Why another one could not be made after it.
    failed: Option<ExitReason>,
}

/// How a life is to end that has not begun.
#[derive(Clone, Copy, Default)]
enum Asked {
    /// It has begun, or was not made.
    #[default]
    Over,
    No,
    ShutDown,
    Kill,
}

impl<M: Handler> Lives<M> {
    /// A machine that has not begun to live. Its mailbox and the limit of its calls are those of this
    /// builder in all its lives; what is sent waits for the first one.
    #[must_use]
    pub fn new(builder: &Builder<M>, queue: Queue) -> Self {
        Lives {
            shell: Arc::new(Shell {
                handle: builder.handle(),
                queue,
                begun: AtomicU64::new(0),
                name: Mutex::new(None),
                said: AtomicU64::new(0),
                latest: Mutex::default(),
            }),
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
        let mut latest = self.shell.latest();
        latest.number += 1;
        latest.asked = Asked::No;
        let failed = latest.failed.take();
        let number = latest.number;
        drop(latest);
        drop(failed);
        Life {
            driver,
            shell: self.shell.clone(),
            number,
            begun: Begun::No(None),
            owner_has_gone: None,
        }
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
        let before = self.shell.latest().failed.replace(reason);
        drop(before);
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

impl<M: Handler> Life<M> {
    fn is_left(&self) -> bool {
        let has_gone = self.owner_has_gone.as_ref();
        has_gone.is_some_and(|has_gone| has_gone.load(Ordering::SeqCst))
    }

    /// Whether it may begin: not as long as another life of the machine runs.
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExitReason>> {
        let published = &self.shell.handle.mailbox.published;
        loop {
            if let Some(reason) = published.stopped() {
                return Poll::Ready(Err(reason));
            }
            if self.is_left() {
                return Poll::Ready(Err(ExitReason::Shutdown));
            }
            let (ended, _) = published.lives();
            let begun = &self.shell.begun;
            if begun
                .compare_exchange(ended, ended + 1, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                return Poll::Ready(Ok(()));
            }
            let Begun::No(before) = &mut self.begun else {
                return Poll::Ready(Ok(()));
            };
            let before = before.get_or_insert_with(|| LifeEnded::after(published.clone(), ended));
            if Pin::new(before).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.begun = Begun::No(None);
        }
    }
}

impl<M: Handler> Unpin for Life<M> {}

impl<M: Handler> Future for Life<M> {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        let this = &mut *self;
        if matches!(this.begun, Begun::No(_)) {
            match this.poll_begin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(reason)) => return Poll::Ready(reason),
                Poll::Ready(Ok(())) => {
                    this.begun = Begun::Yes;
                    this.shell.restart();
                    let mailbox = &this.shell.handle.mailbox;
                    mailbox.published.starting();
                    mailbox.begin();
                    // After it: whoever asks from here on finds a life that runs.
                    match this.shell.has_begun(this.number) {
                        Asked::Over | Asked::No => {}
                        Asked::ShutDown => mailbox.end_life(control_of_end()),
                        Asked::Kill => mailbox.kill(),
                    }
                    // Whoever left before this found no life of it to let go.
                    if this.is_left() {
                        mailbox.let_go();
                    }
                }
            }
        }
        if this.driver.poll_turn(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(this.end())
    }
}

impl<M> Life<M>
where
    M: Handler + Send + 'static,
    M::Event: Send,
    M::Data: Send,
{
    /// The life in a task of its own, which is spawned with the first poll of this future.
    ///
    /// Dropped before it has ended, the life is [let go](Lives::let_go): it ends at its next turn.
    ///
    /// # Panics
    ///
    /// When it is first polled, outside of a tokio runtime.
    pub async fn spawned(mut self) -> ExitReason {
        let mut owner = Owner {
            shell: self.shell.clone(),
            has_gone: Arc::new(AtomicBool::new(false)),
            of_ended: false,
        };
        self.owner_has_gone = Some(owner.has_gone.clone());
        // The runtime shuts down: the life has ended with it.
        let reason = tokio::spawn(self).await.unwrap_or(ExitReason::Aborted);
        owner.of_ended = true;
        reason
    }
}

/// Lets a life go that is in a task of its own.
struct Owner<M: Machine> {
    shell: Arc<Shell<M>>,
    /// Tells a life that has not begun.
    has_gone: Arc<AtomicBool>,
    of_ended: bool,
}

impl<M: Machine> Drop for Owner<M> {
    fn drop(&mut self) {
        if !self.of_ended {
            self.has_gone.store(true, Ordering::SeqCst);
            // Not if the one before still runs: but then that was let go, too. A life that begins
            // meanwhile looks at the mark once more.
            self.shell.let_go();
        }
    }
}

impl<M: Handler> Life<M> {
    fn end(&mut self) -> ExitReason {
        match std::mem::replace(&mut self.begun, Begun::Ended) {
            Begun::Yes => self.driver.end_life(),
            Begun::No(_) | Begun::Ended => {
                let (_, reason) = self.shell.handle.mailbox.published.lives();
                reason.unwrap_or(ExitReason::Aborted)
            }
        }
    }
}

impl<M: Handler> Drop for Life<M> {
    fn drop(&mut self) {
        if let Begun::Yes = self.begun {
            self.driver.abort();
            self.end();
        } else {
            // Of a life that was not begun there is nothing to tell, and the mailbox is another's.
            self.driver.never_begins();
        }
    }
}

impl<M: Machine> Shell<M> {
    /// Asks the life that was made last, if it has not begun. Whether a life may run that is to be asked
    /// as well.
    fn ask(&self, how: Asked) -> bool {
        let mut latest = self.latest();
        latest.asked = match (latest.asked, how) {
            (Asked::Over, _) => Asked::Over,
            (Asked::Kill, _) => Asked::Kill,
            (Asked::No | Asked::ShutDown, how) => how,
        };
        latest.any_has_begun
    }

    /// What was asked of the life of this number, which has begun.
    fn has_begun(&self, number: u64) -> Asked {
        let mut latest = self.latest();
        latest.any_has_begun = true;
        if latest.number == number {
            std::mem::take(&mut latest.asked)
        } else {
            Asked::Over
        }
    }

    fn let_go(&self) {
        let any_has_begun = self.latest().any_has_begun;
        if any_has_begun {
            self.handle.mailbox.let_go();
        }
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn restart(&self) {
        let mailbox = &self.handle.mailbox;
        let (ended, reason) = mailbox.published.lives();
        let reopened = mailbox.published.reopen();
        if self.said.swap(ended, Ordering::AcqRel) == ended && !reopened {
            return;
        }
        let reason = reason.unwrap_or(ExitReason::Aborted);
        mailbox.published.restarting();
        let casts = mailbox.restart(ended, self.queue == Queue::Keep, &reason);
        if casts > 0 {
            warning!(
                machine = M::GRAPH.name,
                casts,
                "casts that waited for a machine were dropped when it was restarted"
            );
        }
    }
}

impl<M: Machine> Shell<M> {
    /// What is left of N61 when the last life has ended.
    fn end(&self) {
        let mailbox = &self.handle.mailbox;
        let failed = self.latest().failed.clone();
        let reason = failed
            .or_else(|| mailbox.published.lives().1)
            .unwrap_or(ExitReason::Aborted);
        mailbox.close(&reason);
        for item in mailbox.take_closed() {
            drop_at_end(M::GRAPH.name, &reason, item);
        }
        let name = self.name().take();
        drop_at_end(M::GRAPH.name, &reason, name);
        mailbox.published.stop(reason);
    }

    fn name(&self) -> MutexGuard<'_, Option<Box<dyn Send>>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Drop for Shell<M> {
    fn drop(&mut self) {
        self.end();
    }
}

/// What has a machine end by itself.
fn control_of_end<M: Machine>() -> Control<M> {
    if drains::<M>() {
        Control::Shutdown
    } else {
        Control::Stop(Box::new(ExitReason::Shutdown))
    }
}

impl<M: Handler> fmt::Debug for Lives<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lives").field(&self.shell.handle).finish()
    }
}

impl<M: Handler> fmt::Debug for Life<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Life").field(&self.shell.handle).finish()
    }
}
