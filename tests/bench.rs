//! The bench: what it shows, and that it fails a test that should fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use statem::net::{Lines, Link, LinkEvent};
use statem::testing::{Bench, WireEnd, wire};
use statem::{
    Cx, EnterCx, ExitReason, Handler, Next, Origin, Reply, StateMachine, keep, postpone, stop,
    unexpected,
};

const SECOND: Duration = Duration::from_secs(1);

#[derive(StateMachine)]
#[machine(event = Event, data = Vec<&'static str>, timeout = Name)]
enum Pump {
    #[initial]
    #[to(Running)]
    Idle,
    #[to(Idle, Running)]
    Running(Running),
}

#[derive(Debug, PartialEq)]
struct Running {
    since: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Service,
}

#[derive(Debug)]
enum Event {
    Start(u32),
    Tick,
    Service,
    Measured(u32),
    Pressure(Reply<u32>),
    Stop,
    Fail,
}

impl Handler for Pump {
    fn enter(&mut self, _: &mut Vec<&'static str>, cx: &mut EnterCx<Self>) {
        if let Self::Running(_) = self {
            cx.state_timeout(SECOND, Event::Tick);
            cx.state_task(std::future::pending::<u32>(), Event::Measured);
        }
    }

    fn handle(
        state: PumpAt<'_>,
        event: Event,
        log: &mut Vec<&'static str>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (PumpAt::Idle(s), Event::Start(since)) => {
                cx.timeout(Name::Service, 10 * SECOND, Event::Service);
                s.go(Running { since })
            }
            (PumpAt::Running(s), Event::Tick) => {
                log.push("tick");
                let since = s.since;
                s.go(Running { since })
            }
            (_, Event::Service) => {
                log.push("service");
                keep()
            }
            (PumpAt::Idle(_), event @ Event::Pressure(_)) => postpone(event),
            (PumpAt::Running(_), Event::Pressure(reply)) => {
                let _ = reply.send(3);
                keep()
            }
            (PumpAt::Running(s), Event::Measured(bar)) if bar > 5 => s.go(Idle),
            (_, Event::Stop) => stop(ExitReason::Normal),
            (_, Event::Fail) => panic!("out of oil"),
            (_, event) => unexpected(event),
        }
    }
}

/// What a failed test says.
fn failure(test: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    payload
        .downcast_ref::<String>()
        .cloned()
        .expect("the failure has a text")
}

#[test]
fn each_timer_fires_at_its_own_time() {
    let mut pump = Bench::new(Idle, Vec::new());
    pump.send(Event::Start(1));
    pump.advance(3 * SECOND + SECOND / 2);
    assert_eq!(*pump.data(), ["tick", "tick", "tick"]);
    let left = |tenths| Some(SECOND / 10 * tenths);
    assert_eq!(
        pump.timeouts(),
        [
            (Origin::StateTimeout, left(5)),
            (Origin::Timeout(Name::Service), left(65))
        ]
    );
    assert_eq!(pump.now(), 3 * SECOND + SECOND / 2);
}

#[test]
fn a_task_is_finished_by_hand() {
    let mut pump = Bench::new(Idle, Vec::new());
    pump.send(Event::Start(1));
    assert_eq!(
        pump.sources()
            .map(|(_, of_state)| of_state)
            .collect::<Vec<_>>(),
        [true]
    );
    pump.finish(7_u32);
    assert_eq!(pump.path(), ["Idle", "Running", "Idle"]);
    assert_eq!(pump.sources().count(), 0);
}

#[test]
fn a_task_that_is_not_there_cannot_be_finished() {
    let said = failure(|| {
        let mut pump = Bench::new(Idle, Vec::new());
        pump.send(Event::Start(1));
        pump.finish("text");
    });
    assert!(
        said.contains("`Pump` runs no task with the output `&str` in state `Running`"),
        "{said}"
    );
}

#[test]
fn a_postponed_call_is_seen_and_answered_later() {
    let mut pump = Bench::new(Idle, Vec::new());
    let mut pressure = pump.call(Event::Pressure);
    assert!(matches!(
        pump.postponed().collect::<Vec<_>>()[..],
        [Event::Pressure(_)]
    ));
    assert!(pressure.try_take().is_none());
    pump.send(Event::Start(1));
    assert!(matches!(pressure.try_take(), Some(Ok(3))));
    assert!(matches!(
        pump.state(),
        Some(Pump::Running(Running { since: 1 }))
    ));
}

#[test]
fn an_unexpected_event_fails_the_test() {
    let said = failure(|| Bench::new(Idle, Vec::new()).send(Event::Tick));
    assert!(said.contains("`Pump` called an event unexpected"), "{said}");
}

#[test]
fn an_unexpected_event_that_is_allowed_is_counted() {
    let mut pump = Bench::new(Idle, Vec::new());
    pump.allow_unexpected().send(Event::Tick);
    assert_eq!(pump.counts().unexpected, 1);
}

#[test]
fn a_panic_in_the_machine_fails_the_test() {
    let said = failure(|| Bench::new(Idle, Vec::new()).send(Event::Fail));
    assert!(
        said.contains("panicked in handle, in state `Idle`: out of oil"),
        "{said}"
    );
}

#[test]
fn a_machine_that_has_ended_says_why() {
    let mut pump = Bench::new(Idle, Vec::new());
    pump.send(Event::Stop);
    assert!(matches!(pump.stopped(), Some(ExitReason::Normal)));
    assert_eq!((pump.state_name(), pump.state().is_none()), ("", true));
}

#[test]
fn init_comes_before_the_first_enter_call() {
    let pump = Bench::<Pump>::with_init(Idle, Vec::new(), |log, cx| {
        log.push("init");
        cx.insert(Event::Service);
    });
    assert_eq!(*pump.data(), ["init", "service"]);
}

/// Does what it was told again and again.
#[derive(StateMachine)]
#[machine(event = Again)]
enum Restless {
    #[initial]
    #[to()]
    Turning,
}

#[derive(Clone, Copy)]
enum Again {
    Insert,
    InThePast,
}

impl Handler for Restless {
    fn handle(_: RestlessAt<'_>, event: Again, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Again::Insert => cx.insert(event),
            Again::InThePast => cx.state_timeout_at(Duration::ZERO, event),
        }
        keep()
    }
}

#[test]
fn a_machine_that_does_not_come_to_rest_fails_its_test() {
    let failed = |test: &dyn Fn(&mut Bench<Restless>)| {
        let mut bench = Bench::<Restless>::new(Turning, ());
        let failed = catch_unwind(AssertUnwindSafe(|| test(&mut bench)));
        let payload = failed.expect_err("it does not come to rest");
        *payload.downcast::<String>().expect("a message")
    };
    let text = failed(&|bench| bench.send(Again::Insert));
    for word in ["`Restless`", "`Turning`", "of its own", "Inserted"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let text = failed(&|bench| {
        bench.send(Again::InThePast);
        bench.advance(SECOND);
    });
    for word in ["`Restless`", "`Turning`", "timers", "StateTimeout"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

#[test]
fn the_clock_of_a_bench_stops_at_the_end_of_time() {
    let mut bench = Bench::<Restless>::new(Turning, ());
    bench.advance(SECOND);
    bench.advance(Duration::MAX);
    assert_eq!(bench.now(), Duration::MAX);
}

/// Has a link in its data, where its test reaches it.
#[derive(StateMachine)]
#[machine(event = Heard, data = Option<Link<Lines>>)]
enum Speaker {
    #[initial]
    #[to()]
    Speaking,
}

enum Heard {
    Open(WireEnd),
    Link(LinkEvent<String>),
}

impl Handler for Speaker {
    fn handle(
        _: SpeakerAt<'_>,
        event: Heard,
        link: &mut Option<Link<Lines>>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match event {
            Heard::Open(io) => *link = Some(Link::open(io, Lines::new(1024), cx, Heard::Link)),
            Heard::Link(LinkEvent::Closed(_)) => *link = None,
            Heard::Link(_) => {}
        }
        keep()
    }
}

#[test]
fn what_is_sent_outside_of_a_transition_is_written_by_the_next_poll_each_time() {
    let mut speaker = Bench::<Speaker>::new(Speaking, None);
    let (io, peer) = wire();
    speaker.send(Heard::Open(io));
    speaker.poll();
    for line in ["one", "two", "three"] {
        let link = speaker.data_mut().as_mut().expect("it is open");
        link.send(line.to_owned()).expect("there is room");
        speaker.poll();
        assert_eq!(peer.take_written(), format!("{line}\n").into_bytes());
    }
}
