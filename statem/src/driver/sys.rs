//! To look after a running machine: what OTP has in its module `sys`.

use std::sync::Arc;

use super::handle::Handle;
use super::{Builder, Handler};
use crate::error::{CallError, Panic};
use crate::inspect::Question;
use crate::machine::Machine;

/// What is shown and kept of a machine, from its start.
impl<M: Handler> Builder<M> {
    /// Lists the machine under a name for as long as it runs; see [`running`](crate::running).
    pub fn list(mut self, name: impl Into<Arc<str>>) -> Self {
        self.listed = Some(name.into());
        self
    }

    /// Keeps the last transitions, one line each, as many as this; none by default (R130).
    ///
    /// [`Handle::inspect`] and the report of an abnormal end show them. A line has the origin of
    /// the event, the states before and after, what has become of the event and how many replies
    /// were given; the event itself only with [`Builder::show_event`].
    ///
    /// ```
    /// use statem::{Builder, Cx, Handler, Next, StateMachine};
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = Event)]
    /// enum Door {
    ///     #[initial]
    ///     #[to(Open)]
    ///     Closed,
    ///     #[to(Closed)]
    ///     Open,
    /// }
    ///
    /// enum Event {
    ///     Push,
    ///     Unlock { code: u32 },
    /// }
    ///
    /// impl Handler for Door {
    ///     fn handle(state: DoorAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
    ///         match (state, event) {
    ///             (DoorAt::Closed(s), Event::Unlock { code: 4711 }) => s.go(Open),
    ///             (DoorAt::Open(s), Event::Push) => s.go(Closed),
    ///             _ => statem::keep(),
    ///         }
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let door = Builder::<Door>::new()
    ///     .keep_log(2)
    ///     .show_event(|event| match event {
    ///         Event::Push => "Push".into(),
    ///         Event::Unlock { .. } => "Unlock (the code is not shown)".into(),
    ///     })
    ///     .spawn(Closed, ());
    /// for event in [Event::Push, Event::Unlock { code: 4711 }, Event::Push] {
    ///     door.cast(event).await.unwrap();
    /// }
    /// assert_eq!(
    ///     door.inspect().await.unwrap().log,
    ///     [
    ///         "cast Unlock (the code is not shown), in Closed: consumed, to Open",
    ///         "cast Push, in Open: consumed, to Closed",
    ///     ]
    /// );
    /// # });
    /// ```
    pub fn keep_log(mut self, lines: usize) -> Self {
        self.record.get_or_insert_default().keep(lines);
        self
    }

    /// Whether each transition is told to `tracing`, at level info and with the target
    /// `statem::trace`; not by default (R128). Without the feature `tracing` nothing is told.
    ///
    /// The event has the fields `machine`, `state`, `next`, `origin`, `event` (only with
    /// [`Builder::show_event`]), `retried` and `replies`.
    pub fn trace(mut self, on: bool) -> Self {
        self.record.get_or_insert_default().traces = on;
        self
    }

    /// How an event is shown in the log, in the trace, in
    /// [`inspect_values`](Handle::inspect_values) and in the report of an abnormal end; without it
    /// an event is shown by its origin alone, as it may hold what must not be logged (R131).
    ///
    /// Called in the machine's task, for each event while there is a log or a trace: the report can
    /// show the event that ended the machine only if there was one, for the handler has consumed it.
    /// It is not to take long. If it panics the machine goes on, and a placeholder is shown, in
    /// `inspect_values` an error.
    pub fn show_event(mut self, show: fn(&M::Event) -> String) -> Self {
        self.record.get_or_insert_default().show.event = Some(show);
        self
    }

    /// How the state is shown in [`inspect_values`](Handle::inspect_values) and in the report of an
    /// abnormal end; without it the report has the state's name alone (R131). As
    /// [`Builder::show_event`] otherwise.
    pub fn show_state(mut self, show: fn(&M) -> String) -> Self {
        self.record.get_or_insert_default().show.state = Some(show);
        self
    }

    /// How the data are shown in [`inspect_values`](Handle::inspect_values) and in the report of an
    /// abnormal end; without it the report has none (R131). As [`Builder::show_event`] otherwise.
    pub fn show_data(mut self, show: fn(&M::Data) -> String) -> Self {
        self.record.get_or_insert_default().show.data = Some(show);
        self
    }
}

/// What changes a machine at run time. Each request is served in the machine's turn, at rest, in
/// its place among the messages, within the limit of a call; many wait as [`Handle::inspect`] does.
impl<M: Machine> Handle<M> {
    /// Suspends the machine: it handles no event until [`Handle::resume`] (N72).
    ///
    /// What was sent before is handled first, unless a long chain of the machine's own events goes
    /// before it, which is broken off (N30). What is sent later waits in the mailbox, up to its
    /// bound. Timers run on: those that are due at resume fire first, before the messages, save that
    /// the event timeout yields to a message that waits, as ever (N23). Sources go on until each
    /// has one output, and what was written leaves (N73). Limits of calls pass.
    ///
    /// The machine can be looked at, replaced, resumed and stopped meanwhile: `stop` ends it without
    /// the messages that wait. So does the drop of the last handle, for nobody could resume it.
    /// An event of [`Handle::shutdown`] waits, and the limit of that ends the machine.
    ///
    /// Suspended more than once it is suspended.
    ///
    /// Cancel safety: dropped before its turn the request is never served (N51), and so is one whose
    /// limit has passed unless its error [may have run](CallError::may_have_run).
    ///
    /// # Errors
    ///
    /// [`CallError::Stopped`], [`CallError::TimedOut`], and [`CallError::Restarting`] between two lives
    /// of a machine under a supervisor.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    ///
    /// ```
    /// use std::time::Duration;
    /// use statem::{Builder, CallError, Cx, Handler, Next, Reply, StateMachine, keep};
    ///
    /// #[derive(StateMachine)]
    /// #[machine(event = Reply<u32>, data = u32)]
    /// enum Counter {
    ///     #[initial]
    ///     #[to()]
    ///     Counting,
    /// }
    ///
    /// impl Handler for Counter {
    ///     fn handle(_: CounterAt<'_>, reply: Reply<u32>, count: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
    ///         *count += 1;
    ///         let _ = reply.send(*count);
    ///         keep()
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let counter = Builder::<Counter>::new().spawn(Counting, 0);
    /// counter.suspend().await.unwrap();
    /// let asked = counter.call(|reply| reply).limit(Duration::from_millis(10)).await;
    /// assert!(matches!(asked, Err(CallError::TimedOut { begun: false, .. })));
    /// counter.replace(|_, count| { *count = 41; None }).await.unwrap();
    /// counter.resume().await.unwrap();
    /// assert_eq!(counter.call(|reply| reply).await.unwrap(), 42);
    /// # });
    /// ```
    pub async fn suspend(&self) -> Result<(), CallError> {
        self.put_question(|reply| Question::Suspend(true, reply))
            .await
    }

    /// Has a suspended machine go on; does nothing to one that is not suspended.
    ///
    /// Cancel safety: as [`Handle::suspend`].
    ///
    /// # Errors
    ///
    /// As [`Handle::suspend`].
    ///
    /// # Panics
    ///
    /// As [`Handle::suspend`].
    pub async fn resume(&self) -> Result<(), CallError> {
        self.put_question(|reply| Question::Suspend(false, reply))
            .await
    }

    /// Changes the data in place, and puts another state in place of the machine's if the function
    /// gives one (N15, R126).
    ///
    /// This is no transition: no enter call, postponed events stay so, no timer is touched, and the
    /// edges of the machine do not count. If the new state is another variant, the sources of the
    /// state that goes are dropped with it. A terminal state ends the machine, once this is answered.
    ///
    /// Cancel safety: as [`Handle::suspend`].
    ///
    /// # Errors
    ///
    /// As [`Handle::suspend`]; [`CallError::Failed`] with the [`Panic`] of the function: the
    /// machine lives on, the state stays as it was, and the data as the panic left them (R127).
    ///
    /// # Panics
    ///
    /// As [`Handle::suspend`].
    pub async fn replace<F>(&self, replace: F) -> Result<(), CallError<Panic>>
    where
        F: FnOnce(&M, &mut M::Data) -> Option<M> + Send + 'static,
    {
        self.put_question(|reply| Question::Replace(Box::new(replace), reply))
            .await
    }

    /// As [`Builder::keep_log`], from here on; 0 ends it and forgets the lines.
    ///
    /// Cancel safety: as [`Handle::suspend`].
    ///
    /// # Errors
    ///
    /// As [`Handle::suspend`].
    ///
    /// # Panics
    ///
    /// As [`Handle::suspend`].
    pub async fn keep_log(&self, lines: usize) -> Result<(), CallError> {
        self.put_question(|reply| {
            Question::Record(Box::new(move |record| record.keep(lines)), reply)
        })
        .await
    }

    /// As [`Builder::trace`], from here on.
    ///
    /// Cancel safety: as [`Handle::suspend`].
    ///
    /// # Errors
    ///
    /// As [`Handle::suspend`].
    ///
    /// # Panics
    ///
    /// As [`Handle::suspend`].
    pub async fn trace(&self, on: bool) -> Result<(), CallError> {
        self.put_question(|reply| {
            Question::Record(Box::new(move |record| record.traces = on), reply)
        })
        .await
    }
}
