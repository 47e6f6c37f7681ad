//! A machine whose events say themselves what it does with them, so that a scenario is read in one
//! place.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statem::engine::Engine;
use statem::{
    At, Cx, EnterCx, ExitReason, Guard, Handler, Machine, Next, Reply, SourceId, StateMachine,
    Timer,
};

use crate::witness::{Caller, Log, Noise, short};

/// Three states with the same luggage, each of which may be followed by each, and a terminal one.
#[derive(StateMachine)]
#[machine(event = Event, data = Scene)]
#[to(A, B, C, Done)]
pub(crate) enum Scripted {
    #[initial]
    A(A),
    B(B),
    C(C),
    #[terminal]
    Done,
}

#[derive(Default)]
pub(crate) struct A(pub(crate) Luggage);
#[derive(Default)]
pub(crate) struct B(pub(crate) Luggage);
#[derive(Default)]
pub(crate) struct C(pub(crate) Luggage);

/// What a state, or the data, can own.
#[derive(Default)]
pub(crate) struct Luggage {
    pub(crate) noise: Vec<Noise>,
    pub(crate) replies: Vec<Reply<u32>>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) timers: Vec<Timer>,
}

pub(crate) enum Event {
    Cast(Script),
    Call(Script, Reply<u32>),
}

/// The name an event has in the log, and what the handler does with it.
pub(crate) struct Script {
    name: &'static str,
    plan: Rc<Plan>,
    noise: Option<Noise>,
}

pub(crate) type Plan =
    dyn Fn(ScriptedAt<'_>, Event, &mut Scene, &mut Cx<Scripted>) -> Next<Scripted>;
type EnterPlan = dyn Fn(&mut Scripted, &mut Scene, &mut EnterCx<Scripted>);
type LastWords = dyn Fn(&ExitReason, Option<&mut Scripted>, &mut Luggage);

/// The machine's data.
pub(crate) struct Scene {
    log: Log,
    enter: HashMap<&'static str, Rc<EnterPlan>>,
    terminate: Option<Rc<LastWords>>,
    refused: Option<fn()>,
    pub(crate) luggage: Luggage,
    /// A `Next` that is kept where it must not be (N12).
    pub(crate) kept: Option<Next<Scripted>>,
}

impl Handler for Scripted {
    fn enter(&mut self, scene: &mut Scene, cx: &mut EnterCx<Self>) {
        let name = self.name();
        scene.log.add(format!("{name}:enter({})", cx.previous()));
        if let Some(plan) = scene.enter.get(name).cloned() {
            plan(self, scene, cx);
        }
    }

    fn handle(
        state: ScriptedAt<'_>,
        event: Event,
        scene: &mut Scene,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        scene
            .log
            .add(format!("{}:{}", state.name(), event.script().name));
        let plan = event.script().plan.clone();
        plan(state, event, scene, cx)
    }

    fn terminate(reason: &ExitReason, state: Option<&mut Self>, scene: &mut Scene) {
        let name = state.as_deref().map_or("no state", Self::name);
        scene
            .log
            .add(format!("terminate({}, {name})", short(reason)));
        if let Some(plan) = scene.terminate.take() {
            plan(reason, state, &mut scene.luggage);
        }
    }

    fn refused(&self, event: Event, scene: &mut Scene) {
        scene.log.add(format!("refused {}", event.script().name));
        if let Some(refused) = scene.refused {
            refused();
        }
    }
}

impl Scripted {
    pub(crate) fn name(&self) -> &'static str {
        Self::GRAPH.states[self.index()].name
    }

    pub(crate) fn luggage(&mut self) -> &mut Luggage {
        match self {
            Self::A(state) => &mut state.0,
            Self::B(state) => &mut state.0,
            Self::C(state) => &mut state.0,
            Self::Done => panic!("the terminal state owns nothing"),
        }
    }
}

impl<'a> ScriptedAt<'a> {
    pub(crate) fn luggage(&mut self) -> &mut Luggage {
        match self {
            Self::A(state) => &mut state.0,
            Self::B(state) => &mut state.0,
            Self::C(state) => &mut state.0,
        }
    }

    /// The view of the state A, for `go_with`.
    pub(crate) fn a(self) -> At<'a, Scripted, A> {
        match self {
            Self::A(state) => state,
            other => panic!("not in A but in {}", other.name()),
        }
    }
}

impl Event {
    pub(crate) fn script(&self) -> &Script {
        match self {
            Event::Cast(script) | Event::Call(script, _) => script,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.script().name
    }

    pub(crate) fn rename(&mut self, name: &'static str) {
        match self {
            Event::Cast(script) | Event::Call(script, _) => script.name = name,
        }
    }

    /// The reply of a call.
    pub(crate) fn reply(self) -> Reply<u32> {
        match self {
            Event::Call(_, reply) => reply,
            Event::Cast(script) => panic!("`{}` is not a call", script.name),
        }
    }

    /// The same event, which logs when it is dropped.
    pub(crate) fn noisy(mut self, noise: Noise) -> Self {
        match &mut self {
            Event::Cast(script) | Event::Call(script, _) => script.noise = Some(noise),
        }
        self
    }
}

/// An event that does what `plan` says.
pub(crate) fn event(
    name: &'static str,
    plan: impl Fn(ScriptedAt<'_>, Event, &mut Scene, &mut Cx<Scripted>) -> Next<Scripted> + 'static,
) -> Event {
    Event::Cast(Script {
        name,
        plan: Rc::new(plan),
        noise: None,
    })
}

/// What makes a call that does what `plan` says, once it is given the reply.
pub(crate) fn request(
    name: &'static str,
    plan: impl Fn(ScriptedAt<'_>, Event, &mut Scene, &mut Cx<Scripted>) -> Next<Scripted> + 'static,
) -> impl FnOnce(Reply<u32>) -> Event {
    let script = Script {
        name,
        plan: Rc::new(plan),
        noise: None,
    };
    |reply| Event::Call(script, reply)
}

/// An event that is kept.
pub(crate) fn note(name: &'static str) -> Event {
    event(name, |_, _, _, _| statem::keep())
}

/// An event that is postponed in A and kept elsewhere.
pub(crate) fn not_in_a(name: &'static str) -> Event {
    event(name, |state, event, _, _| {
        if state.name() == "A" {
            statem::postpone(event)
        } else {
            statem::keep()
        }
    })
}

/// The machine, a clock that is moved by hand, and the log.
pub(crate) struct Stage {
    pub(crate) engine: Engine<Scripted>,
    pub(crate) now: Rc<Cell<Duration>>,
    pub(crate) log: Log,
}

impl Stage {
    /// Started in an empty A, with an empty log.
    pub(crate) fn new() -> Self {
        let mut stage = Self::unstarted();
        stage.start();
        stage.log.take();
        stage
    }

    pub(crate) fn unstarted() -> Self {
        let log = Log::default();
        let scene = Scene {
            log: log.clone(),
            enter: HashMap::new(),
            terminate: None,
            refused: None,
            luggage: Luggage::default(),
            kept: None,
        };
        Stage {
            engine: Engine::new(A::default(), scene),
            now: Rc::default(),
            log,
        }
    }

    pub(crate) fn start(&mut self) {
        let now = self.now.clone();
        self.engine.start(&|| now.get());
        self.settle();
    }

    /// What an enter call of a state does from now on.
    pub(crate) fn on_enter(
        &mut self,
        state: &'static str,
        plan: impl Fn(&mut Scripted, &mut Scene, &mut EnterCx<Scripted>) + 'static,
    ) {
        self.scene().enter.insert(state, Rc::new(plan));
    }

    pub(crate) fn on_terminate(
        &mut self,
        plan: impl Fn(&ExitReason, Option<&mut Scripted>, &mut Luggage) + 'static,
    ) {
        self.scene().terminate = Some(Rc::new(plan));
    }

    pub(crate) fn on_refused(&mut self, plan: fn()) {
        self.scene().refused = Some(plan);
    }

    fn scene(&mut self) -> &mut Scene {
        self.engine.data_mut().expect("the machine runs")
    }

    /// One cast, and everything the machine queued for itself.
    pub(crate) fn cast(
        &mut self,
        name: &'static str,
        plan: impl Fn(ScriptedAt<'_>, Event, &mut Scene, &mut Cx<Scripted>) -> Next<Scripted> + 'static,
    ) {
        self.send(event(name, plan));
    }

    pub(crate) fn send(&mut self, event: Event) {
        self.handle(event);
        self.settle();
    }

    /// One cast, and nothing after it.
    pub(crate) fn handle(&mut self, event: Event) {
        let now = self.now.clone();
        self.engine.handle(event, &|| now.get());
    }

    /// One call, and everything the machine queued for itself.
    pub(crate) fn call(
        &mut self,
        name: &'static str,
        plan: impl Fn(ScriptedAt<'_>, Event, &mut Scene, &mut Cx<Scripted>) -> Next<Scripted> + 'static,
    ) -> Caller {
        let now = self.now.clone();
        let answer = self.engine.call(request(name, plan), &|| now.get());
        let caller = Caller::new(answer, &self.log, name);
        self.settle();
        caller
    }

    /// One call whose reply moves into the state.
    pub(crate) fn call_held(&mut self, name: &'static str) -> Caller {
        self.call(name, |mut state, event, _, _| {
            state.luggage().replies.push(event.reply());
            statem::keep()
        })
    }

    pub(crate) fn settle(&mut self) {
        let now = self.now.clone();
        let mut steps = 0;
        while self.engine.advance(&|| now.get()) {
            steps += 1;
            assert!(steps < 100_000, "the machine does not come to rest");
        }
    }

    /// Moves the clock to `at` milliseconds; every timer fires when it is due.
    pub(crate) fn until(&mut self, at: u64) {
        while let Some(deadline) = self
            .engine
            .deadline()
            .filter(|deadline| *deadline <= ms(at))
        {
            self.now.set(self.now.get().max(deadline));
            assert!(self.engine.fire(self.now.get()), "a timer is due");
            self.settle();
        }
        self.now.set(ms(at));
    }

    /// Polls a source once, as a driver does that was woken. Whether it gave an event.
    pub(crate) fn poll(&mut self, id: SourceId) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let Some(source) = self.engine.source(id) else {
            return false;
        };
        let now = self.now.clone();
        match source.poll_event(&mut cx) {
            Poll::Ready(Some(event)) => {
                self.engine.output(id, event, &|| now.get());
                self.settle();
                true
            }
            Poll::Ready(None) => {
                self.engine.source_ended(id);
                false
            }
            Poll::Pending => false,
        }
    }

    /// Polls every source that runs once, oldest first.
    pub(crate) fn poll_all(&mut self) {
        for id in self.running() {
            self.poll(id);
        }
    }

    pub(crate) fn running(&self) -> Vec<SourceId> {
        self.engine.sources().map(|(id, _)| id).collect()
    }

    /// The names of the postponed events, oldest first.
    pub(crate) fn postponed(&self) -> Vec<&'static str> {
        self.engine.postponed().map(Event::name).collect()
    }

    /// The names of the events of running timeouts, and when they are due in milliseconds.
    pub(crate) fn pending(&self) -> Vec<(&'static str, Option<u128>)> {
        let timeouts = self.engine.timeouts();
        timeouts
            .iter()
            .map(|timeout| {
                (
                    timeout.event.name(),
                    timeout.deadline.map(|due| due.as_millis()),
                )
            })
            .collect()
    }

    /// Why the machine ended, in a few words; empty if it has not.
    pub(crate) fn stopped(&self) -> String {
        self.engine.stopped().map(short).unwrap_or_default()
    }

    /// Whether every event that came in is accounted for (N48).
    pub(crate) fn assert_counts(&self) {
        let counts = self.engine.counts();
        let waiting = (self.engine.queued().count() + self.engine.postponed().count()) as u64;
        let gone = counts.refused + counts.abandoned + counts.discarded + counts.dropped_at_end;
        assert_eq!(
            counts.received,
            counts.consumed + waiting + gone,
            "{counts:?}"
        );
    }
}

/// Asserts what was logged since the last time.
#[track_caller]
pub(crate) fn assert_log(stage: &Stage, expected: &[&str]) {
    assert_eq!(stage.log.take(), expected);
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A future that never ends and logs its drop.
pub(crate) async fn forever(noise: Noise) {
    let _noise = noise;
    std::future::pending::<()>().await;
}
