//! A machine whose every callback leaves a word, with its life in it.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statem::supervisor::{Life, Lives, Queue, Spec, TooManyRestarts};
use statem::{
    Builder, CallError, Cx, EnterCx, ExitReason, Handle, Handler, Next, Origin, Reply,
    StateMachine, Status, keep, postpone, stop,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::log::somebody_listens;

/// Holds back what it is to hold while it is idle, and takes it while it is busy.
#[derive(StateMachine)]
#[machine(event = Event, data = World, shutdown = Event::Drain)]
#[to(Idle, Busy, Done)]
pub(crate) enum Worker {
    #[initial]
    Idle,
    #[initial]
    Busy,
    #[terminal]
    Done,
}

pub(crate) type Script = Box<dyn FnOnce(&mut World, &mut Cx<Worker>) + Send>;

pub(crate) enum Event {
    /// Leaves a word.
    Note(&'static str),
    /// Is answered with the number of the life.
    Ask(Reply<u32>),
    /// Is postponed while the machine is idle, and answered with the number of the life otherwise.
    Hold(&'static str, Option<Reply<u32>>),
    Work,
    /// Keeps its reply for as long as the data live.
    Keep(Reply<u32>),
    Run(Script),
    Panic,
    Stop(ExitReason),
    Drain,
}

type OnEnter = Box<dyn Fn(&'static str, &mut EnterCx<Worker>) + Send + Sync>;

/// How a machine takes a shutdown.
#[derive(Clone, Copy, Default)]
pub(crate) enum Drains {
    /// It stops at once.
    #[default]
    AtOnce,
    /// After so long.
    After(Duration),
    /// It does not care.
    Never,
}

#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) trace: Trace,
    pub(crate) name: &'static str,
    pub(crate) life: u32,
    pub(crate) drains: Drains,
    pub(crate) on_enter: Option<Arc<OnEnter>>,
    pub(crate) on_terminate: Option<Arc<dyn Fn() + Send + Sync>>,
    pub(crate) replies: Arc<Mutex<Vec<Reply<u32>>>>,
}

impl World {
    pub(crate) fn new(name: &'static str, trace: &Trace) -> Self {
        somebody_listens();
        World {
            name,
            trace: trace.clone(),
            ..World::default()
        }
    }

    /// The data of the next life, which is the first one at first.
    pub(crate) fn next(&mut self) -> Self {
        self.life += 1;
        World {
            replies: Arc::default(),
            ..self.clone()
        }
    }

    pub(crate) fn say(&self, word: &str) {
        self.trace.say(format!("{}{} {word}", self.name, self.life));
    }
}

impl Handler for Worker {
    fn enter(&mut self, world: &mut World, cx: &mut EnterCx<Self>) {
        let state = match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Done => "done",
        };
        world.say(state);
        if let Some(on_enter) = world.on_enter.clone() {
            on_enter(state, cx);
        }
    }

    fn handle(
        state: WorkerAt<'_>,
        event: Event,
        data: &mut World,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match event {
            Event::Note(word) => data.say(word),
            Event::Ask(reply) => drop(reply.send(data.life)),
            event @ Event::Hold(..) if matches!(state, WorkerAt::Idle(_)) => {
                return postpone(event);
            }
            Event::Hold(word, reply) => {
                let origin = match cx.origin() {
                    Origin::Call => "call",
                    Origin::Cast => "cast",
                    _ => "other",
                };
                data.say(&format!("{origin} {word}"));
                if let Some(reply) = reply {
                    let _ = reply.send(data.life);
                }
            }
            Event::Keep(reply) => data.replies.lock().unwrap().push(reply),
            Event::Work => return state.go(Busy),
            Event::Run(script) => script(data, cx),
            Event::Panic => panic!("broken"),
            Event::Stop(reason) => return stop(reason),
            Event::Drain => {
                data.say("drain");
                match data.drains {
                    Drains::AtOnce => return stop(ExitReason::Shutdown),
                    Drains::After(time) => {
                        cx.timeout("drain", time, Event::Stop(ExitReason::Shutdown));
                    }
                    Drains::Never => cx.state_task(pending::<()>(), |()| Event::Drain),
                }
            }
        }
        keep()
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, world: &mut World) {
        world.say("end");
        if let Some(on_terminate) = world.on_terminate.take() {
            on_terminate();
        }
    }
}

/// The words that were left, in order.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub(crate) fn say(&self, word: String) {
        self.0.lock().unwrap().push(word);
    }

    /// What was left since this was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// As [`Trace::take`], in one line.
    pub(crate) fn line(&self) -> String {
        self.take().join(", ")
    }
}

/// Lets everything run that can.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// A child that leaves its words in this trace.
pub(crate) fn worker(name: &'static str, trace: &Trace) -> Spec<Worker> {
    child(World::new(name, trace))
}

/// A child whose lives have data like these.
pub(crate) fn child(mut world: World) -> Spec<Worker> {
    Spec::new(world.name, move || (Idle, world.next()))
}

/// The time of the runtime.
#[expect(clippy::disallowed_methods, reason = "a test measures what passed")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What comes of a future that is not to wait for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(1_000_000);
    let output = tokio::time::timeout(limit, future).await;
    output.expect("it waits for what never comes")
}

/// How many tasks there are, but for the test itself.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Has a machine fail, and what follows of it.
pub(crate) async fn fail(handle: &Handle<Worker>) {
    handle.try_cast(Event::Panic).unwrap();
    settle().await;
}

/// Why a supervisor gave up.
pub(crate) fn gave_up(reason: &ExitReason) -> &TooManyRestarts {
    let ExitReason::Other(error) = reason else {
        panic!("{reason}");
    };
    error.downcast_ref().unwrap()
}

/// The name of the state.
pub(crate) fn state(handle: &Handle<Worker>) -> &'static str {
    match handle.status() {
        Status::Starting => "starting",
        Status::Running(state) => state,
        Status::Restarting => "restarting",
        Status::Stopped(_) => "stopped",
        _ => "unknown",
    }
}

/// A machine and who starts it again.
pub(crate) struct Fixture {
    pub(crate) lives: Lives<Worker>,
    pub(crate) world: World,
    pub(crate) trace: Trace,
    pub(crate) handle: Handle<Worker>,
}

impl Fixture {
    pub(crate) fn new(queue: Queue) -> Self {
        Self::with(&Builder::new(), queue)
    }

    pub(crate) fn with(builder: &Builder<Worker>, queue: Queue) -> Self {
        let trace = Trace::default();
        let lives = Lives::new(builder, queue);
        let handle = lives.handle();
        let world = World::new("w", &trace);
        Fixture {
            lives,
            world,
            trace,
            handle,
        }
    }

    pub(crate) fn life(&mut self) -> Life<Worker> {
        self.lives.begin(Builder::new(), Idle, self.world.next())
    }

    pub(crate) fn begin(&mut self) -> JoinHandle<ExitReason> {
        tokio::spawn(self.life())
    }
}

/// A call that runs beside the test.
pub(crate) fn ask(
    handle: &Handle<Worker>,
    event: impl FnOnce(statem::Reply<u32>) -> Event + Send + 'static,
) -> JoinHandle<Result<u32, CallError>> {
    let handle = handle.clone();
    tokio::spawn(async move { handle.call(event).limit(Duration::from_secs(100)).await })
}

/// Whether it ended by [`Event::Panic`].
pub(crate) fn panicked(reason: &ExitReason) -> bool {
    matches!(reason, ExitReason::Panicked { message, .. } if &**message == "broken")
}
