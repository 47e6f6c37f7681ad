//! Edge coverage: what counts as taking an edge, who counts, and what a suite is told.
//!
//! The counts are those of the process, so each test has a machine type of its own.

use std::panic::{UnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use statem::engine::Engine;
use statem::testing::{Bench, EdgeCoverage};
use statem::{
    Cx, EnterCx, ExitReason, Handler, Machine, Next, Reply, StateMachine, keep, repeat, unexpected,
};

/// A machine with an edge of each kind. Each instantiation counts by itself, so each test has its
/// own.
#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Broken = "kicked")]
enum Gate<const TEST: u8> {
    #[initial]
    #[to(Open = "pushed")]
    Closed,
    #[to(Closed, Open = "again")]
    Open(Open),
    #[terminal]
    Broken,
}

struct Open {
    visits: u32,
}

enum Event {
    Push,
    Shut,
    Kick,
    Keep,
    Repeat,
    Count(Reply<u32>),
}

impl<const TEST: u8> Handler for Gate<TEST> {
    fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
        if matches!(self, Self::Open(Open { visits: 7 })) {
            cx.stop(ExitReason::Normal);
        }
    }

    fn handle(state: GateAt<'_, TEST>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (_, Event::Keep) => keep(),
            (_, Event::Repeat) => repeat(),
            (GateAt::Closed(s), Event::Push) => s.go(Open { visits: 0 }),
            (GateAt::Open(s), Event::Push) => s.go_with(|open| Open {
                visits: open.visits + 1,
            }),
            (GateAt::Open(s), Event::Shut) => s.go(Closed),
            (GateAt::Open(s), Event::Count(reply)) => {
                let visits = s.visits;
                let _ = reply.send(visits);
                s.go(Open { visits })
            }
            (state, Event::Kick) => state.go(Broken),
            (_, event) => unexpected(event),
        }
    }
}

/// How often each edge of a machine was taken, in the order of the source.
fn taken<M: Machine>() -> Vec<u64> {
    EdgeCoverage::of::<M>()
        .edges()
        .map(|edge| edge.taken)
        .collect()
}

fn message(of: impl FnOnce() + UnwindSafe) -> String {
    let payload = catch_unwind(of).expect_err("it fails");
    *payload.downcast::<String>().expect("a text")
}

#[test]
fn a_machine_that_never_ran_has_taken_nothing() {
    assert_eq!(
        EdgeCoverage::of::<Gate<1>>().to_string(),
        "\
`Gate`: 0 of 5 edges taken
never  Closed → Open    pushed
never  Closed → Broken  kicked
never  Open   → Closed
never  Open   → Open    again
never  Open   → Broken  kicked
"
    );
}

#[test]
fn only_going_takes_an_edge() {
    let mut gate = Bench::<Gate<2>>::new(Closed, ());
    gate.send(Event::Keep);
    gate.send(Event::Repeat);
    gate.allow_unexpected().send(Event::Shut);
    assert_eq!(taken::<Gate<2>>(), [0, 0, 0, 0, 0]);
    gate.send(Event::Push);
    gate.send(Event::Keep);
    gate.send(Event::Repeat);
    assert_eq!(taken::<Gate<2>>(), [1, 0, 0, 0, 0]);

    let mut engine = Engine::<Gate<2>>::new(Closed, ());
    engine.start(&|| Duration::ZERO);
    engine.replace(Gate::Open(Open { visits: 0 }));
    assert_eq!(taken::<Gate<2>>(), [1, 0, 0, 0, 0]);
}

#[test]
fn a_table_counts_self_edges_shared_edges_and_terminal_states() {
    let mut gate = Bench::<Gate<3>>::new(Closed, ());
    for event in [Event::Push, Event::Push, Event::Push, Event::Shut] {
        gate.send(event);
    }
    gate.send(Event::Kick);
    assert_eq!(
        EdgeCoverage::of::<Gate<3>>().to_string(),
        "\
`Gate`: 4 of 5 edges taken
    1  Closed → Open    pushed
    1  Closed → Broken  kicked
    1  Open   → Closed
    2  Open   → Open    again
never  Open   → Broken  kicked
"
    );
    let coverage = EdgeCoverage::of::<Gate<3>>();
    let untaken: Vec<String> = coverage.untaken().map(|edge| edge.to_string()).collect();
    assert_eq!(untaken, ["Open → Broken : kicked"]);
}

#[test]
fn an_edge_is_taken_though_the_enter_call_stops_the_machine() {
    let mut engine = Engine::<Gate<4>>::new(Closed, ());
    engine.start(&|| Duration::ZERO);
    engine.replace(Gate::Open(Open { visits: 6 }));
    engine.handle(Event::Push, &|| Duration::ZERO);
    assert!(engine.stopped().is_some());
    assert_eq!(taken::<Gate<4>>(), [0, 0, 0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driven_machine_has_counted_before_its_caller_has_the_answer() {
    let gate = statem::spawn::<Gate<5>>(Closed, ());
    gate.cast(Event::Push).await.expect("the gate is there");
    for times in 1..=100 {
        gate.call(Event::Count).await.expect("the gate answers");
        assert_eq!(taken::<Gate<5>>(), [1, 0, 0, times, 0]);
    }
}

#[test]
fn no_count_is_lost_among_threads() {
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut gate = Bench::<Gate<6>>::new(Closed, ());
                start.wait();
                for _ in 0..5000 {
                    gate.send(Event::Push);
                    gate.send(Event::Shut);
                }
            });
        }
    });
    assert_eq!(taken::<Gate<6>>(), [20_000, 0, 20_000, 0, 0]);
}

#[test]
fn an_incomplete_suite_fails_and_says_which_edges_nobody_took() {
    let mut gate = Bench::<Gate<7>>::new(Closed, ());
    gate.send(Event::Push);
    gate.send(Event::Shut);
    gate.send(Event::Kick);
    assert_eq!(
        message(|| EdgeCoverage::of::<Gate<7>>().assert_complete()),
        "\
nobody has taken 2 of the 5 edges of `Gate`:
    Open → Open : again
    Open → Broken : kicked
have this test call one that takes it, for others may run later or in another process; or remove \
         it from `#[to(..)]`"
    );
}

#[test]
fn a_closed_gate_is_kicked() {
    let mut gate = Bench::<Gate<8>>::new(Closed, ());
    gate.send(Event::Kick);
    assert_eq!(gate.stopped().map(ExitReason::is_normal), Some(true));
}

#[tokio::test]
async fn an_open_gate_is_pushed_shut_and_kicked() {
    let gate = statem::spawn::<Gate<8>>(Closed, ());
    for event in [Event::Push, Event::Push, Event::Shut, Event::Push] {
        gate.cast(event).await.expect("the gate is there");
    }
    gate.cast(Event::Kick).await.expect("the gate is there");
    assert!(gate.closed().await.is_normal());
}

#[test]
fn the_last_test_calls_the_others_and_finds_the_suite_complete() {
    a_closed_gate_is_kicked();
    an_open_gate_is_pushed_shut_and_kicked();
    let coverage = EdgeCoverage::of::<Gate<8>>();
    coverage.assert_complete();
    assert_eq!(coverage.untaken().count(), 0);
}

#[derive(StateMachine)]
#[machine(event = Option<Item>)]
enum Line<'a, Item: 'a> {
    #[initial]
    #[to(Idle)]
    Idle(Idle<'a, Item>),
}

struct Idle<'a, Item>(Option<&'a Item>);

impl<'a, Item: 'a> Handler for Line<'a, Item> {
    fn handle(
        state: LineAt<'_, 'a, Item>,
        event: Option<Item>,
        (): &mut (),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let LineAt::Idle(state) = state;
        if event.is_some() {
            state.go_with(|idle| Idle(idle.0))
        } else {
            keep()
        }
    }
}

#[test]
fn each_instantiation_of_a_machine_counts_by_itself_whatever_its_lifetimes() {
    let short = 1_u8;
    let mut bytes = Bench::<Line<'_, u8>>::new(Idle(Some(&short)), ());
    bytes.send(Some(1));
    bytes.send(Some(2));
    assert_eq!(taken::<Line<'static, u8>>(), [2]);
    assert_eq!(taken::<Line<'static, u16>>(), [0]);
    EdgeCoverage::of::<Line<'_, u8>>().assert_complete();
}
