//! No allocation an event once the machine is warm, for machines that start no source.

use std::time::Duration;

use statem::engine::Engine;
use statem::{
    CallError, Cx, EnterCx, Handler, Next, Reply, StateMachine, Timer, keep, keep_and_retry,
    postpone, repeat,
};

const EVENTS: u32 = 10_000;

#[derive(StateMachine)]
#[machine(event = Event, data = Seen, timeout = Name)]
#[to(Left, Right)]
enum Busy {
    #[initial]
    Left(Left),
    Right(Right),
}

struct Left([u64; 4]);
struct Right([u64; 4]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    One,
    Two,
}

#[derive(Default)]
struct Seen {
    /// Events that were kept in the end.
    kept: u32,
    /// Timeouts that fired.
    fired: u32,
    timer: Timer,
}

enum Event {
    Keep,
    Go,
    Repeat,
    Retry,
    /// Postponed in `Left`.
    NotInLeft,
    InsertTwo,
    StartAll,
    StartZero,
    UpdateAll,
    CancelAll,
    StartTimer,
    Fired,
    Ask(Reply<u32>),
    Refuse(Reply<u32, u64>),
}

impl Handler for Busy {
    fn enter(&mut self, _: &mut Seen, cx: &mut EnterCx<Self>) {
        match self {
            Self::Left(left) => left.0[0] += 1,
            Self::Right(right) => {
                right.0[0] += 1;
                cx.state_timeout(Duration::from_secs(1), Event::Fired);
            }
        }
    }

    fn handle(state: BusyAt<'_>, event: Event, seen: &mut Seen, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (BusyAt::Left(_), event @ Event::NotInLeft) => return postpone(event),
            (BusyAt::Left(state), Event::Go) => return state.go_with(|left| Right(left.0)),
            (BusyAt::Right(state), Event::Go) => return state.go_with(|right| Left(right.0)),
            (_, Event::Repeat) => return repeat(),
            (_, Event::Retry) => return keep_and_retry(),
            (_, Event::InsertTwo) => {
                cx.insert(Event::Keep);
                cx.insert(Event::Keep);
            }
            (_, Event::StartAll) => start_all(cx, Duration::from_millis(10)),
            (_, Event::StartZero) => start_all(cx, Duration::ZERO),
            (_, Event::UpdateAll) => {
                cx.update_state_timeout(Event::Fired);
                cx.update_event_timeout(Event::Fired);
                cx.update_timeout(Name::One, Event::Fired);
            }
            (_, Event::CancelAll) => {
                cx.cancel_state_timeout();
                cx.cancel_event_timeout();
                cx.cancel_timeout(Name::One);
                cx.cancel_timeout(Name::Two);
            }
            (_, Event::StartTimer) => seen.timer = cx.timer(Duration::from_millis(5), Event::Fired),
            (_, Event::Ask(reply)) => reply.send(seen.kept).expect("the caller waits"),
            (_, Event::Refuse(reply)) => reply.fail(7).expect("the caller waits"),
            (_, Event::Fired) => seen.fired += 1,
            (_, Event::Keep | Event::NotInLeft) => seen.kept += 1,
        }
        keep()
    }
}

fn start_all(cx: &mut Cx<Busy>, after: Duration) {
    cx.state_timeout(after, Event::Fired);
    cx.event_timeout(after, Event::Fired);
    cx.timeout(Name::One, after, Event::Fired);
    cx.timeout(Name::Two, after, Event::Fired);
}

/// The machine and the time it is told.
struct Run {
    engine: Engine<Busy>,
    now: Duration,
}

impl Run {
    fn new() -> Self {
        let mut engine = Engine::new(Left([0; 4]), Seen::default());
        engine.start(&|| Duration::ZERO);
        Run {
            engine,
            now: Duration::ZERO,
        }
    }

    /// The event of a number: over a few dozen of them, each verb and each request in both states.
    fn step(&mut self, number: u32) {
        let event = match number % 13 {
            0 | 7 => Event::Keep,
            1 | 5 => Event::Go,
            2 => Event::NotInLeft,
            3 => Event::InsertTwo,
            6 => Event::UpdateAll,
            8 => Event::StartZero,
            9 => Event::CancelAll,
            10 => Event::Repeat,
            11 => Event::Retry,
            _ => Event::StartAll,
        };
        self.handle(event);
        if number % 13 == 12 {
            // What was started just now is due.
            self.now += Duration::from_millis(20);
            while self.engine.fire(self.now) {
                self.settle();
            }
        }
    }

    fn handle(&mut self, event: Event) {
        let now = self.now;
        self.engine.handle(event, &|| now);
        self.settle();
    }

    fn settle(&mut self) {
        let now = self.now;
        while self.engine.advance(&|| now) {}
    }

    fn warm(&mut self) {
        for number in 0..200 {
            self.step(number);
        }
    }
}

#[test]
fn no_event_allocates_once_the_machine_is_warm() {
    let mut run = Run::new();
    run.warm();
    let before = run.engine.counts();
    let measured = allocation_counter::measure(|| {
        for number in 0..EVENTS {
            run.step(number);
        }
    });
    assert_eq!(measured.count_total, 0, "{measured:?}");

    let counts = run.engine.counts();
    assert!(counts.handled - before.handled > u64::from(EVENTS));
    assert!(counts.postponed - before.postponed > 300, "{counts:?}");
    let seen = run.engine.data().expect("the machine runs");
    assert!(
        seen.fired > 1000 && seen.kept > 1000,
        "{} fired, {} kept",
        seen.fired,
        seen.kept
    );
    assert!(run.engine.stopped().is_none());
}

#[test]
fn a_call_allocates_the_slot_of_its_reply_and_nothing_else() {
    let mut run = Run::new();
    for _ in 0..10 {
        drop(run.engine.call(Event::Ask, &|| Duration::ZERO));
    }
    let measured = allocation_counter::measure(|| {
        for _ in 0..EVENTS {
            let mut answer = run.engine.call(Event::Ask, &|| Duration::ZERO);
            assert!(matches!(answer.try_take(), Some(Ok(0))));
        }
    });
    assert_eq!(measured.count_total, u64::from(EVENTS), "{measured:?}");
    assert_eq!(measured.count_current, 0);
}

#[test]
fn a_call_that_is_answered_by_an_error_allocates_its_slot_and_the_error_and_keeps_neither() {
    let mut run = Run::new();
    for _ in 0..10 {
        drop(run.engine.call(Event::Refuse, &|| Duration::ZERO));
    }
    let measured = allocation_counter::measure(|| {
        for _ in 0..EVENTS {
            let mut answer = run.engine.call(Event::Refuse, &|| Duration::ZERO);
            assert!(matches!(answer.try_take(), Some(Err(CallError::Failed(7)))));
        }
    });
    assert_eq!(measured.count_total, u64::from(2 * EVENTS), "{measured:?}");
    assert_eq!((measured.count_current, measured.bytes_current), (0, 0));
}

#[test]
fn a_timer_allocates_what_its_guard_shares_and_nothing_else() {
    let mut run = Run::new();
    for _ in 0..10 {
        run.handle(Event::StartTimer);
    }
    let measured = allocation_counter::measure(|| {
        for _ in 0..EVENTS {
            run.handle(Event::StartTimer);
        }
    });
    assert_eq!(measured.count_total, u64::from(EVENTS), "{measured:?}");
    assert_eq!(measured.count_current, 0);
}
