//! A thousand random machines, recorded on OTP's `gen_statem`, replayed on the engine (P6).
//!
//! `otp_traces.jsonl` holds one machine a line: what its callbacks answer at their first, second,
//! .. call, and what the real thing did with it. Translated on the way, and nothing else:
//!
//! * "next state" to the state one is in is `keep` (N13); `repeat` from an enter call is
//!   `cx.repeat()`;
//! * of several options to postpone the last one alone is carried out (R29); in init there is
//!   nothing to postpone (R87);
//! * a machine recorded without enter calls has an enter callback that does nothing and takes no
//!   answer.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use statem::engine::Engine;
use statem::{Actions, Cx, EnterCx, Handler, Machine, Next, Origin, StateMachine, keep, repeat};

const TRACES: &str = include_str!("otp_traces.jsonl");
const MACHINES: usize = 1000;
/// No recorded machine handles more than a few dozen events.
const PATIENCE: usize = 10_000;

/// The states of a recorded machine, each of which may be followed by each.
#[derive(StateMachine)]
#[machine(event = Event, data = Recording, timeout = Name)]
#[to(A, B, C)]
enum Recorded {
    #[initial]
    A,
    #[initial]
    B,
    #[initial]
    C,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    G1,
    G2,
}

/// An event as the recording names it: its type travels along, so that a forged one is told from a
/// real one.
#[derive(Clone, Debug)]
struct Event {
    kind: String,
    content: String,
}

/// One answer of a callback.
#[derive(Clone, Debug)]
struct Answer {
    verb: String,
    target: String,
    actions: Vec<Vec<Value>>,
}

/// What the callbacks answer, and what they saw: `[type, content, state]` for each call.
struct Recording {
    enter_calls: bool,
    answers: VecDeque<Answer>,
    trace: Vec<[String; 3]>,
}

impl Handler for Recorded {
    fn enter(&mut self, recording: &mut Recording, cx: &mut EnterCx<Self>) {
        if !recording.enter_calls {
            return;
        }
        let previous = cx.previous().to_lowercase();
        let answer = recording.next_answer(["enter".into(), previous, self.letter()]);
        assert!(
            !act(&answer.actions, cx),
            "no recorded enter call postpones"
        );
        match answer.verb.as_str() {
            "keep" => {}
            "repeat" => cx.repeat(),
            other => panic!("no recorded enter call answers {other}"),
        }
    }

    fn handle(
        state: RecordedAt<'_>,
        event: Event,
        recording: &mut Recording,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        let letter = state.name().to_lowercase();
        assert_eq!(
            event.kind,
            kind_of(cx.origin()),
            "the origin of an event is what the recording says"
        );
        let answer =
            recording.next_answer([event.kind.clone(), event.content.clone(), letter.clone()]);
        if act(&answer.actions, cx) {
            cx.postpone(event);
        }
        match (answer.verb.as_str(), answer.target.as_str()) {
            ("keep", _) => keep(),
            ("repeat", _) => repeat(),
            ("next", target) if target == letter => keep(),
            ("next", "a") => state.go(A),
            ("next", "b") => state.go(B),
            ("next", "c") => state.go(C),
            other => panic!("an unknown answer: {other:?}"),
        }
    }
}

impl Recorded {
    /// The state as the recording names it.
    fn letter(&self) -> String {
        Self::GRAPH.states[self.index()].name.to_lowercase()
    }
}

impl Recording {
    /// Records a callback and gives its answer; after the last one it keeps and asks for nothing.
    fn next_answer(&mut self, called: [String; 3]) -> Answer {
        self.trace.push(called);
        self.answers.pop_front().unwrap_or_else(|| Answer {
            verb: "keep".into(),
            target: String::new(),
            actions: Vec::new(),
        })
    }
}

/// Asks for what the list says. Gives back whether its last option to postpone says so (R29).
fn act(actions: &[Vec<Value>], cx: &mut Actions<Recorded>) -> bool {
    let mut postpone = false;
    for action in actions {
        match text(&action[0]) {
            "postpone" => postpone = action[1] == Value::Bool(true),
            "next_event" => cx.insert(event(text(&action[1]), text(&action[2]))),
            "start" => {
                let after =
                    Duration::from_millis(action[2].as_u64().expect("a time in milliseconds"));
                start(cx, text(&action[1]), after, text(&action[3]));
            }
            "update" => update(cx, text(&action[1]), text(&action[2])),
            "cancel" => cancel(cx, text(&action[1])),
            other => panic!("an unknown action: {other}"),
        }
    }
    postpone
}

fn start(cx: &mut Actions<Recorded>, timer: &str, after: Duration, content: &str) {
    let event = event(timer, content);
    match timer {
        "state_timeout" => cx.state_timeout(after, event),
        "timeout" => cx.event_timeout(after, event),
        _ => cx.timeout(named(timer), after, event),
    }
}

fn update(cx: &mut Actions<Recorded>, timer: &str, content: &str) {
    let event = event(timer, content);
    match timer {
        "state_timeout" => cx.update_state_timeout(event),
        "timeout" => cx.update_event_timeout(event),
        _ => cx.update_timeout(named(timer), event),
    }
}

fn cancel(cx: &mut Actions<Recorded>, timer: &str) {
    match timer {
        "state_timeout" => cx.cancel_state_timeout(),
        "timeout" => cx.cancel_event_timeout(),
        _ => cx.cancel_timeout(named(timer)),
    }
}

fn named(timer: &str) -> Name {
    match timer {
        "timeout:g1" => Name::G1,
        "timeout:g2" => Name::G2,
        other => panic!("an unknown timer: {other}"),
    }
}

/// The type of an event in the words of the recording.
fn kind_of(origin: Origin<Name>) -> &'static str {
    match origin {
        Origin::Cast => "cast",
        Origin::Inserted => "internal",
        Origin::StateTimeout => "state_timeout",
        Origin::EventTimeout => "timeout",
        Origin::Timeout(Name::G1) => "timeout:g1",
        Origin::Timeout(Name::G2) => "timeout:g2",
        other => panic!("no recorded machine has {other:?}"),
    }
}

fn event(kind: &str, content: &str) -> Event {
    Event {
        kind: kind.into(),
        content: content.into(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn actions(value: &Value) -> Vec<Vec<Value>> {
    list(value)
        .iter()
        .map(|action| list(action).to_vec())
        .collect()
}

/// What is left of a machine that has come to rest, as text that can be compared.
#[derive(Debug, PartialEq)]
struct Outcome {
    trace: Vec<[String; 3]>,
    pending_timers: Vec<[String; 2]>,
    postponed: Vec<[String; 2]>,
    final_state: String,
}

fn expected(machine: &Value) -> Outcome {
    let pair = |value: &Value| [text(&value[0]).to_owned(), text(&value[1]).to_owned()];
    let triple = |value: &Value| [0, 1, 2].map(|place: usize| text(&value[place]).to_owned());
    let mut pending_timers: Vec<_> = list(&machine["pending_timers"]).iter().map(pair).collect();
    pending_timers.sort_unstable();
    Outcome {
        trace: list(&machine["trace"]).iter().map(triple).collect(),
        pending_timers,
        postponed: list(&machine["postponed"]).iter().map(pair).collect(),
        final_state: text(&machine["final_state"]).to_owned(),
    }
}

fn replay(machine: &Value) -> Outcome {
    let answers = list(&machine["results"]).iter().map(|answer| Answer {
        verb: text(&answer[0]).into(),
        target: text(&answer[1]).into(),
        actions: actions(&answer[2]),
    });
    let recording = Recording {
        enter_calls: machine["enter_calls"] == Value::Bool(true),
        answers: answers.collect(),
        trace: Vec::new(),
    };
    let mut engine = match text(&machine["init_state"]) {
        "a" => Engine::new(A, recording),
        "b" => Engine::new(B, recording),
        "c" => Engine::new(C, recording),
        other => panic!("an unknown state: {other}"),
    };
    let init = actions(&machine["init_actions"]);
    engine.start_with(
        |_, cx| {
            act(&init, cx);
        },
        &no_time_passes,
    );
    settle(&mut engine);
    for cast in 1..=machine["external_casts"].as_u64().expect("a number") {
        engine.handle(event("cast", &format!("ext.{cast}")), &no_time_passes);
        settle(&mut engine);
    }
    assert!(
        engine.stopped().is_none(),
        "the machine ended: {:?}",
        engine.stopped()
    );
    let counts = engine.counts();
    assert_eq!(
        counts.received,
        counts.consumed + engine.postponed().count() as u64,
        "N48: {counts:?}"
    );
    outcome(&engine)
}

/// Recorded timeouts are either zero or never fire, so the clock stands still.
fn no_time_passes() -> Duration {
    Duration::ZERO
}

/// Handles what the machine has queued for itself, until it is at rest.
fn settle(engine: &mut Engine<Recorded>) {
    let mut steps = 0;
    while engine.advance(&no_time_passes) {
        steps += 1;
        assert!(steps < PATIENCE, "the machine does not come to rest");
    }
}

fn outcome(engine: &Engine<Recorded>) -> Outcome {
    let timeouts = engine.timeouts();
    // The recording leaves the event timeout out.
    let real = timeouts
        .iter()
        .filter(|timeout| timeout.origin != Origin::EventTimeout);
    let mut pending_timers: Vec<_> = real
        .map(|timeout| {
            [
                kind_of(timeout.origin).to_owned(),
                timeout.event.content.clone(),
            ]
        })
        .collect();
    pending_timers.sort_unstable();
    Outcome {
        trace: engine
            .data()
            .map(|recording| recording.trace.clone())
            .unwrap_or_default(),
        pending_timers,
        postponed: engine
            .postponed()
            .map(|event| [event.kind.clone(), event.content.clone()])
            .collect(),
        final_state: engine.state().map(Recorded::letter).unwrap_or_default(),
    }
}

#[test]
fn every_machine_recorded_on_otp_does_the_same_on_the_engine() {
    let mut ran = 0;
    let mut differing = Vec::new();
    for line in TRACES.lines() {
        let machine: Value = serde_json::from_str(line).expect("a line is a JSON object");
        let (expected, replayed) = (expected(&machine), replay(&machine));
        if replayed != expected {
            differing.push(machine["id"].clone());
            if differing.len() == 1 {
                eprintln!("{line}\nrecorded: {expected:#?}\nreplayed: {replayed:#?}");
            }
        }
        ran += 1;
    }
    assert!(
        differing.is_empty(),
        "{} of {ran} machines differ: {differing:?}",
        differing.len()
    );
    assert_eq!(ran, MACHINES);
}

#[test]
fn the_recorded_machines_use_every_verb_and_action() {
    // A recording that was cut down by mistake would leave nothing to compare.
    for word in [
        "keep",
        "repeat",
        "next",
        "postpone",
        "next_event",
        "start",
        "update",
        "cancel",
    ] {
        let uses = TRACES.matches(&format!("[\"{word}\",")).count();
        assert!(uses > MACHINES, "`{word}` occurs {uses} times");
    }
}
