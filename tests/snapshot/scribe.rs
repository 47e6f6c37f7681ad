//! A machine whose events say what it does with them, and which can be written down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statem::engine::Engine;
use statem::snapshot::{Save, Snapshot};
use statem::testing::Bench;
use statem::{
    Actions, Cx, EnterCx, Handler, Next, Reply, StateMachine, Timer, keep, keep_and_retry, postpone,
};

#[derive(StateMachine, Serialize, Deserialize)]
#[machine(event = Event, data = Book, timeout = Name)]
#[to(Open, Shut)]
pub(crate) enum Scribe {
    #[initial]
    Open(Open),
    Shut,
}

/// A state with timers of its own.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) timers: Vec<Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Name {
    G,
    H,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Book {
    /// What was called, in order. A new life begins with an empty one.
    #[serde(skip)]
    pub(crate) trace: Vec<String>,
    pub(crate) timers: BTreeMap<u64, Timer>,
    /// What every enter call asks for.
    pub(crate) on_enter: Vec<Ask>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A word for the trace, what is asked for, and what comes next.
    Do(String, Vec<Ask>, Then),
    /// Postponed for ever.
    #[serde(skip)]
    Call(#[expect(dead_code, reason = "kept for the caller")] Arc<Reply<u32>>),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Then {
    Keep,
    Postpone,
    /// Postponed while the machine is open.
    NotOpen,
    Retry,
    Repeat,
    Open,
    Shut,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    State(u64, String),
    Silence(u64, String),
    Named(Name, u64, String),
    Never(Name, String),
    Update(Name, String),
    UpdateState(String),
    Cancel(Name),
    CancelState,
    /// A timer that the data owns, under a number.
    Timer(u64, u64, Box<Event>),
    DropTimer(u64),
    Insert(Box<Event>),
    Source,
    Output,
}

impl Save for Scribe {
    const VERSION: u32 = 1;
}

impl Handler for Scribe {
    fn enter(&mut self, book: &mut Book, cx: &mut EnterCx<Self>) {
        book.trace.push(format!("enter({})", cx.previous()));
        for wish in book.on_enter.clone() {
            ask(wish, book, cx);
        }
    }

    fn handle(state: ScribeAt<'_>, event: Event, book: &mut Book, cx: &mut Cx<Self>) -> Next<Self> {
        let Event::Do(word, asks, then) = event else {
            return postpone(event);
        };
        book.trace.push(format!("{word}@{:?}", cx.origin()));
        let is_open = matches!(state, ScribeAt::Open(_));
        if is_open && matches!(then, Then::NotOpen) {
            return postpone(Event::Do(word, asks, then));
        }
        for wish in asks.clone() {
            ask(wish, book, cx);
        }
        match then {
            Then::Keep | Then::NotOpen => keep(),
            Then::Postpone => postpone(Event::Do(word, asks, Then::Keep)),
            Then::Retry => keep_and_retry(),
            Then::Repeat => statem::repeat(),
            Then::Open => state.go(Open::default()),
            Then::Shut => state.go(Shut),
        }
    }
}

fn ask(wish: Ask, book: &mut Book, cx: &mut Actions<Scribe>) {
    match wish {
        Ask::State(after, word) => cx.state_timeout(ms(after), note(&word)),
        Ask::Silence(after, word) => cx.event_timeout(ms(after), note(&word)),
        Ask::Named(name, after, word) => cx.timeout(name, ms(after), note(&word)),
        Ask::Never(name, word) => cx.timeout_at(name, Duration::MAX, note(&word)),
        Ask::Update(name, word) => cx.update_timeout(name, note(&word)),
        Ask::UpdateState(word) => cx.update_state_timeout(note(&word)),
        Ask::Cancel(name) => cx.cancel_timeout(name),
        Ask::CancelState => cx.cancel_state_timeout(),
        Ask::Timer(number, after, event) => {
            book.timers.insert(number, cx.timer(ms(after), *event));
        }
        Ask::DropTimer(number) => drop(book.timers.remove(&number)),
        Ask::Insert(event) => cx.insert(*event),
        Ask::Source => cx.state_task(std::future::pending::<()>(), |()| note("never")),
        Ask::Output => cx.state_task(std::future::ready(()), |()| {
            act("output", [], Then::Postpone)
        }),
    }
}

impl Event {
    pub(crate) fn word(&self) -> &str {
        match self {
            Event::Do(word, ..) => word,
            Event::Call(_) => "call",
        }
    }
}

pub(crate) fn act<const N: usize>(word: &str, asks: [Ask; N], then: Then) -> Event {
    Event::Do(word.to_owned(), asks.into(), then)
}

pub(crate) fn note(word: &str) -> Event {
    act(word, [], Then::Keep)
}

pub(crate) fn call(reply: Reply<u32>) -> Event {
    Event::Call(Arc::new(reply))
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn bench() -> Bench<Scribe> {
    let mut bench = Bench::new(Open::default(), Book::default());
    bench.data_mut().trace.clear();
    bench
}

pub(crate) fn write(bench: &Bench<Scribe>) -> String {
    bench.snapshot(|saving| serde_json::to_string(saving).expect("it can be written"))
}

pub(crate) fn read(text: &str) -> Snapshot<Scribe> {
    serde_json::from_str(text).expect("a snapshot")
}

/// What was called since the last time.
pub(crate) fn trace(bench: &mut Bench<Scribe>) -> String {
    std::mem::take(&mut bench.data_mut().trace).join(" ")
}

pub(crate) fn engine_trace(engine: &mut Engine<Scribe>) -> String {
    std::mem::take(&mut engine.data_mut().expect("the machine runs").trace).join(" ")
}

/// Everything queued, without moving the clock.
pub(crate) fn settle(engine: &mut Engine<Scribe>) {
    while engine.advance(&|| Duration::ZERO) {}
}
