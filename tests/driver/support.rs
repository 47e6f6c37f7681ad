//! A machine whose handler does what the event's script says, and the trace it leaves.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use statem::{
    Builder, CallError, Child, Cx, Driver, EnterCx, ExitReason, Guard, Handle, Handler, Inspection,
    Next, Reply, StateMachine, Timer, keep, postpone, stop, unexpected,
};
use tracing::Level;

use crate::log::{Log, somebody_listens};

/// Goes wherever a script sends it. Every callback and every drop of a [`Probe`] leaves a word in
/// the trace.
#[derive(Debug, StateMachine)]
#[machine(event = Event, data = World)]
#[to(Idle, Busy, Done)]
pub(crate) enum Puppet {
    #[initial]
    Idle,
    #[initial]
    Busy(Busy),
    #[terminal]
    Done,
}

/// What belongs to the state `Busy`.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "kept for what their drops do")]
pub(crate) struct Busy {
    pub(crate) replies: Vec<Reply<u32, Oops>>,
    pub(crate) probe: Option<Probe>,
}

pub(crate) type Script = Box<dyn FnOnce(&mut World, &mut Cx<Puppet>) -> Step + Send>;

pub(crate) type AnswerScript =
    Box<dyn FnOnce(Reply<u32, Oops>, &mut World, &mut Cx<Puppet>) -> Step + Send>;

pub(crate) enum Event {
    /// Leaves a word and is consumed.
    Note(&'static str),
    /// Leaves a number and is consumed.
    Number(u32),
    /// Is answered at once with 7.
    Ask(Reply<u32, Oops>),
    /// Is postponed while the machine is idle, and consumed otherwise; its reply is answered with
    /// 7.
    Hold {
        name: &'static str,
        reply: Option<Reply<u32, Oops>>,
        probe: Option<Probe>,
    },
    /// Does what the script says.
    Run(&'static str, Script),
    /// Does what the script says with the reply of a call.
    Answer(Reply<u32, Oops>, AnswerScript),
    /// Is handed back as unexpected.
    Odd(Option<Reply<u32, Oops>>),
}

/// The machine's own error.
#[derive(Debug, PartialEq)]
pub(crate) struct Oops;

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("oops")
    }
}

impl Error for Oops {}

/// What a script answers.
pub(crate) enum Step {
    Keep,
    Idle,
    Busy(Busy),
    Done,
    Stop(ExitReason),
}

type OnEnter = Box<dyn FnMut(&'static str, &mut EnterCx<Puppet>) + Send>;

/// The data of the puppet.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) trace: Trace,
    pub(crate) replies: Vec<Reply<u32, Oops>>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) children: Vec<Child<Puppet>>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) on_enter: Option<OnEnter>,
    pub(crate) on_terminate: Option<Box<dyn FnOnce() + Send>>,
    pub(crate) on_refused: Option<Box<dyn FnOnce() + Send>>,
    /// What the data says of itself by `Debug`; a panic if it is empty.
    pub(crate) shown: &'static str,
    pub(crate) probe: Option<Probe>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(
            !self.shown.is_empty(),
            "this data does not want to be shown"
        );
        f.write_str(self.shown)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Note(name) | Event::Hold { name, .. } | Event::Run(name, _) => f.write_str(name),
            Event::Number(number) => number.fmt(f),
            Event::Ask(_) | Event::Answer(..) => f.write_str("ask"),
            Event::Odd(_) => f.write_str("odd"),
        }
    }
}

impl Handler for Puppet {
    fn enter(&mut self, world: &mut World, cx: &mut EnterCx<Self>) {
        let state = match self {
            Puppet::Idle => "Idle",
            Puppet::Busy(_) => "Busy",
            Puppet::Done => "Done",
        };
        if let Some(on_enter) = &mut world.on_enter {
            on_enter(state, cx);
        }
    }

    fn handle(
        state: PuppetAt<'_>,
        event: Event,
        world: &mut World,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        let idle = matches!(state, PuppetAt::Idle(_));
        let prefix = if idle { "" } else { "b:" };
        let step = match event {
            Event::Note(name) => {
                world.trace.push(format!("{prefix}{name}"));
                Step::Keep
            }
            Event::Number(number) => {
                world.trace.push(format!("{prefix}{number}"));
                Step::Keep
            }
            Event::Ask(reply) => {
                let _ = reply.send(7);
                Step::Keep
            }
            hold @ Event::Hold { .. } if idle => return postpone(hold),
            Event::Hold { name, reply, probe } => {
                world.trace.push(format!("{prefix}{name}"));
                drop(probe);
                let _ = reply.map(|reply| reply.send(7));
                Step::Keep
            }
            Event::Run(name, script) => {
                world.trace.push(format!("{prefix}{name}"));
                script(world, cx)
            }
            Event::Answer(reply, script) => script(reply, world, cx),
            odd @ Event::Odd(_) => return unexpected(odd),
        };
        match step {
            Step::Keep => keep(),
            Step::Idle => state.go(Idle),
            Step::Busy(busy) => state.go(busy),
            Step::Done => state.go(Done),
            Step::Stop(reason) => stop(reason),
        }
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, world: &mut World) {
        world.trace.push("terminate");
        if let Some(on_terminate) = world.on_terminate.take() {
            on_terminate();
        }
    }

    fn refused(&self, event: Event, world: &mut World) {
        world.trace.push(format!("refused {event:?}"));
        if let Some(on_refused) = world.on_refused.take() {
            on_refused();
        }
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub(crate) fn push(&self, word: impl Into<String>) {
        self.0.lock().unwrap().push(word.into());
    }

    /// What happened since this was last asked, joined by spaces.
    pub(crate) fn take(&self) -> String {
        self.words().join(" ")
    }

    pub(crate) fn words(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A value that says `drop name` when it is dropped.
    pub(crate) fn probe(&self, name: &'static str) -> Probe {
        let trace = self.clone();
        Probe::new(move || trace.push(format!("drop {name}")))
    }
}

/// Does something when it is dropped.
pub(crate) struct Probe(Option<Box<dyn FnOnce() + Send>>);

impl Probe {
    pub(crate) fn new(on_drop: impl FnOnce() + Send + 'static) -> Self {
        Probe(Some(Box::new(on_drop)))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(on_drop) = self.0.take() {
            on_drop();
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// A running puppet, idle.
pub(crate) fn puppet() -> (Handle<Puppet>, Trace) {
    puppet_with(Builder::new(), |_| {})
}

/// A running puppet, idle, with bounds and data of its own.
pub(crate) fn puppet_with(
    builder: Builder<Puppet>,
    set: impl FnOnce(&mut World),
) -> (Handle<Puppet>, Trace) {
    somebody_listens();
    let (world, trace) = world(set);
    (builder.spawn(Idle, world), trace)
}

/// What was logged at this level; the rest is forgotten.
pub(crate) fn of_level(log: &Log, level: Level) -> Vec<String> {
    let kept = log.take().into_iter();
    kept.filter(|(of, _)| *of == level)
        .map(|(_, text)| text)
        .collect()
}

/// A puppet that runs only when its driver is polled.
pub(crate) fn unpolled(builder: Builder<Puppet>) -> (Handle<Puppet>, Driver<Puppet>, Trace) {
    let (world, trace) = world(|_| {});
    let (handle, driver) = builder.build(Idle, world);
    (handle, driver, trace)
}

pub(crate) fn world(set: impl FnOnce(&mut World)) -> (World, Trace) {
    let trace = Trace::default();
    let mut world = World {
        trace: trace.clone(),
        shown: "world",
        ..World::default()
    };
    set(&mut world);
    (world, trace)
}

/// An event that does what the script says.
pub(crate) fn run(
    name: &'static str,
    script: impl FnOnce(&mut World, &mut Cx<Puppet>) -> Step + Send + 'static,
) -> Event {
    Event::Run(name, Box::new(script))
}

/// A call whose reply the script gets.
pub(crate) fn answer(
    script: impl FnOnce(Reply<u32, Oops>, &mut World, &mut Cx<Puppet>) -> Step + Send + 'static,
) -> impl FnOnce(Reply<u32, Oops>) -> Event {
    move |reply| Event::Answer(reply, Box::new(script))
}

/// A call that is kept unanswered in the data.
pub(crate) fn keep_reply() -> impl FnOnce(Reply<u32, Oops>) -> Event {
    answer(|reply, world, _| {
        world.replies.push(reply);
        Step::Keep
    })
}

/// A call that waits among the postponed events until the machine is busy.
pub(crate) fn hold(name: &'static str) -> impl FnOnce(Reply<u32, Oops>) -> Event {
    move |reply| Event::Hold {
        name,
        reply: Some(reply),
        probe: None,
    }
}

pub(crate) fn go_busy() -> Event {
    run("go", |_, _| Step::Busy(Busy::default()))
}

/// Puts events into the mailbox, in order and without letting the machine run.
pub(crate) fn send(machine: &Handle<Puppet>, events: impl IntoIterator<Item = Event>) {
    for event in events {
        machine.try_cast(event).unwrap();
    }
}

/// Lets the machine handle what waits now.
pub(crate) async fn rest(machine: &Handle<Puppet>) -> Inspection {
    machine.inspect().await.unwrap()
}

/// Lets time pass on a paused clock without letting anybody run: how a handler takes long.
pub(crate) fn spend(time: Duration) {
    let advance = pin!(tokio::time::advance(time));
    let _ = advance.poll(&mut Context::from_waker(Waker::noop()));
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks at the paused clock"
)]
pub(crate) fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Lets all tasks that can run have one turn. In a task, for tokio looks seldom at the test itself.
pub(crate) async fn others_turn() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future once.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A stream made of a function.
pub(crate) struct FromFn<F>(pub(crate) F);

impl<T, F: FnMut(&mut Context<'_>) -> Poll<Option<T>> + Unpin> Stream for FromFn<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        (self.0)(cx)
    }
}

/// A stream that gives one item for each time it is told to.
#[derive(Clone, Default)]
pub(crate) struct Faucet(Arc<Mutex<(usize, Option<Waker>)>>);

impl Faucet {
    pub(crate) fn give(&self, items: usize) {
        let mut inner = self.0.lock().unwrap();
        inner.0 += items;
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }

    fn stream(&self) -> FromFn<impl FnMut(&mut Context<'_>) -> Poll<Option<()>> + Send + use<>> {
        let faucet = self.clone();
        FromFn(move |cx: &mut Context<'_>| {
            let mut inner = faucet.0.lock().unwrap();
            if inner.0 > 0 {
                inner.0 -= 1;
                return Poll::Ready(Some(()));
            }
            inner.1 = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

/// A source of this machine that gives the event `f` for each item.
pub(crate) async fn with_faucet(machine: &Handle<Puppet>) -> Faucet {
    let faucet = Faucet::default();
    let stream = faucet.stream();
    send(
        machine,
        [run("start", move |world, cx| {
            world.guards.push(cx.stream(stream, |_| Event::Note("f")));
            Step::Keep
        })],
    );
    rest(machine).await;
    faucet
}

/// An event that starts the timeout `g`.
pub(crate) fn named_timeout(after: Duration, event: Event) -> Event {
    run("arm", move |_, cx| {
        cx.timeout("g", after, event);
        Step::Keep
    })
}

/// Whether two outcomes of a call say the same.
pub(crate) fn told(outcome: &Result<u32, CallError<Oops>>) -> String {
    match outcome {
        Ok(value) => format!("{value}"),
        Err(error) => format!(
            "{error}{}",
            if error.may_have_run() {
                " (may have run)"
            } else {
                ""
            }
        ),
    }
}
