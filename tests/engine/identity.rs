//! Which state the machine is in: leaving, repeating, ending and losing it (N11–N16).

use std::cell::RefCell;

use statem::engine::Engine;
use statem::{At, Cx, EnterCx, ExitReason, Next, State, StateMachine, keep, repeat};

use crate::scripted::{
    A, B, Luggage, Scripted, ScriptedAt, Stage, assert_log, forever, ms, not_in_a, note,
};

#[test]
fn n13_going_to_the_own_variant_leaves_and_enters() {
    let mut stage = Stage::new();
    let twice = std::cell::Cell::new(2);
    let p = crate::scripted::event("p", move |_, event, _, _| {
        twice.set(twice.get() - 1);
        if twice.get() > 0 {
            statem::postpone(event)
        } else {
            keep()
        }
    });
    stage.send(p);
    let owned = RefCell::new(Some((stage.log.noise("kA"), stage.log.noise("a"))));
    stage.cast("start", move |mut state, _, _, cx| {
        let (task, held) = owned.take().expect("it starts once");
        cx.state_task(forever(task), |()| note("never"));
        cx.state_timeout(ms(40), note("never"));
        state.luggage().noise.push(held);
        keep()
    });
    stage.log.take();
    stage.cast("x", |state, _, _, _| state.go(A::default()));
    assert_log(&stage, &["A:x", "drop kA", "drop a", "A:enter(A)", "A:p"]);
    assert!(stage.pending().is_empty());
}

#[test]
fn n13_r34_keep_is_next_state_to_an_equal_state() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(40), note("timeout"));
        keep()
    });
    stage.cast("keep", |_, _, _, _| keep());
    assert_log(&stage, &["A:p", "A:start", "A:keep"]);
    assert_eq!(stage.pending(), [("timeout", Some(40))]);
    assert_eq!(stage.postponed(), ["p"]);
}

#[test]
fn n15_r126_replacing_the_state_is_no_transition() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    let owned = RefCell::new(Some((stage.log.noise("kA"), stage.log.noise("a"))));
    stage.cast("start", move |mut state, _, _, cx| {
        let (task, held) = owned.take().expect("it starts once");
        cx.state_task(forever(task), |()| note("never"));
        cx.state_timeout(ms(40), note("state_timeout"));
        state.luggage().noise.push(held);
        keep()
    });
    stage.until(10);
    stage.log.take();
    stage.engine.replace(Scripted::A(A::default()));
    assert_log(&stage, &["drop a"]);
    assert_eq!(
        stage.running().len(),
        1,
        "the state is the same: what was started for it goes on"
    );
    stage.engine.replace(Scripted::B(B::default()));
    assert_log(&stage, &["drop kA"]);
    assert_eq!((stage.running().len(), stage.postponed()), (0, vec!["p"]));
    stage.until(40);
    assert_log(&stage, &["B:state_timeout"]);
}

#[test]
fn r43_after_a_replacement_the_machine_goes_on_from_the_state_it_was_given() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    stage.engine.replace(Scripted::B(B::default()));
    stage.log.take();
    // To keep is no change, though the event was postponed in another state.
    stage.send(note("keep"));
    assert_eq!(stage.postponed(), ["p"]);
    stage.cast("back", |state, _, _, _| state.go(A::default()));
    assert_log(&stage, &["B:keep", "B:back", "A:enter(B)", "A:p"]);
}

#[test]
fn n14_repeat_starts_anew_what_enter_started_and_touches_no_timer_and_no_guard() {
    let mut stage = Stage::unstarted();
    let names = RefCell::new(["kA", "kA'"].into_iter());
    let log = stage.log.clone();
    stage.on_enter("A", move |_, _, cx| {
        let name = names.borrow_mut().next().expect("it is entered twice");
        cx.state_task(forever(log.noise(name)), |()| note("never"));
    });
    stage.start();
    stage.send(not_in_a("p"));
    let guarded = RefCell::new(Some(stage.log.noise("guarded")));
    stage.cast("start", move |mut state, _, _, cx| {
        cx.state_timeout(ms(40), note("timeout"));
        let noise = guarded.take().expect("it starts once");
        let guard = cx.task(forever(noise), |()| note("never"));
        state.luggage().guards.push(guard);
        keep()
    });
    stage.log.take();
    stage.cast("again", |_, _, _, _| repeat());
    assert_log(&stage, &["A:again", "drop kA", "A:enter(A)"]);
    assert_eq!(stage.pending(), [("timeout", Some(40))]);
    assert_eq!(stage.postponed(), ["p"]);
    assert_eq!(stage.running().len(), 2);
}

#[test]
fn n16_a_terminal_state_is_entered_answers_and_ends_the_machine() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |state, event, _, _| {
        event.reply().send(9).expect("the caller waits");
        state.go(crate::scripted::Done)
    });
    assert_eq!(caller.outcome(), "9");
    assert_log(&stage, &["A:c", "Done:enter(A)", "terminate(normal, Done)"]);
    assert_eq!(stage.stopped(), "normal");
    stage.assert_counts();
}

#[test]
fn n16_a_reply_held_by_the_state_before_a_terminal_one_is_not_answered_in_that_state() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    stage.cast("end", |state, _, _, _| state.go(crate::scripted::Done));
    assert_eq!(caller.outcome(), "not answered in A");
}

#[test]
fn n12_a_next_of_go_with_that_is_dropped_loses_the_state() {
    let mut stage = Stage::new();
    stage.cast("lose", |state, _, _, _| {
        drop(state.a().go_with(|old| B(old.0)));
        keep()
    });
    assert_log(
        &stage,
        &["A:lose", "terminate(state lost from A, no state)"],
    );
    stage.assert_counts();
}

#[test]
fn n12_a_next_that_was_kept_and_is_returned_later_loses_the_state() {
    let mut stage = Stage::new();
    stage.cast("keep it", |_, _, scene, _| {
        scene.kept = Some(keep());
        keep()
    });
    stage.cast("return it", |_, _, scene, _| {
        scene.kept.take().expect("it was kept")
    });
    assert_log(
        &stage,
        &[
            "A:keep it",
            "A:return it",
            "terminate(state lost from A, A)",
        ],
    );
}

#[test]
fn n12_a_go_that_was_kept_and_is_returned_later_loses_the_state() {
    let mut stage = Stage::new();
    let noise = RefCell::new(Some(stage.log.noise("b")));
    stage.cast("keep it", move |state, _, scene, _| {
        let noise = noise.take().into_iter().collect();
        scene.kept = Some(state.go(B(Luggage {
            noise,
            ..Luggage::default()
        })));
        keep()
    });
    stage.cast("return it", |_, _, scene, _| {
        scene.kept.take().expect("it was kept")
    });
    assert_log(
        &stage,
        &[
            "A:keep it",
            "A:return it",
            "drop b",
            "terminate(state lost from A, A)",
        ],
    );
}

#[test]
fn n12_a_next_made_before_the_machine_started_loses_the_state() {
    let mut stage = Stage::new();
    stage.engine.data_mut().expect("the machine runs").kept = Some(keep());
    stage.cast("return it", |_, _, scene, _| {
        scene.kept.take().expect("it was kept")
    });
    assert_eq!(stage.stopped(), "state lost from A");
}

#[test]
fn n12_a_next_of_another_machine_s_transition_loses_the_state() {
    let mut stage = Stage::new();
    stage.cast("nested", |_, _, _, _| {
        let mut inner = Stage::new();
        let given = std::rc::Rc::new(RefCell::new(None));
        let give = given.clone();
        inner.cast("give", move |_, _, _, _| {
            *give.borrow_mut() = Some(keep());
            keep()
        });
        let next = given.take();
        next.expect("it was given")
    });
    assert_eq!(stage.stopped(), "state lost from A");
}

#[test]
fn n12_a_next_of_another_thread_loses_the_state() {
    #[derive(StateMachine)]
    #[machine(event = Shelf, data = Shelf)]
    enum Machine {
        #[initial]
        #[to(One)]
        One,
    }

    /// Where a `Next` is kept for the other thread.
    type Shelf = std::sync::Arc<std::sync::Mutex<Option<Next<Machine>>>>;

    impl statem::Handler for Machine {
        fn handle(_: MachineAt<'_>, _: Shelf, shelf: &mut Shelf, _: &mut Cx<Self>) -> Next<Self> {
            let mut shelf = shelf.lock().expect("whole");
            if let Some(kept) = shelf.take() {
                return kept;
            }
            *shelf = Some(keep());
            keep()
        }
    }

    let clock = || ms(0);
    // Each thread is new and has begun as many transitions as the other: none before this, or one.
    for starts_there in [false, true] {
        let shelf = Shelf::default();
        let stopped = [(), ()].map(|()| {
            let mut engine = Engine::new(One, shelf.clone());
            if !starts_there {
                engine.start(&clock);
            }
            let event = shelf.clone();
            let thread = std::thread::spawn(move || {
                if starts_there {
                    engine.start(&clock);
                }
                engine.handle(event, &clock);
                engine.stopped().cloned()
            });
            thread.join().expect("nothing panics")
        });
        assert!(stopped[0].is_none(), "{stopped:?}");
        assert!(
            matches!(stopped[1], Some(ExitReason::StateLost { from: "One" })),
            "{stopped:?}"
        );
    }
}

#[test]
fn n12_n65_a_panic_in_terminate_without_a_state_names_the_state_that_was_lost() {
    let mut stage = Stage::new();
    stage.on_terminate(|_, _, _| panic!("too much"));
    stage.cast("lose", |state, _, _, _| {
        drop(state.a().go_with(|old: A| B(old.0)));
        keep()
    });
    assert_eq!(stage.stopped(), "`too much` in terminate, in A");
}

#[test]
fn n12_another_variant_written_through_self_in_enter_loses_the_state() {
    let mut stage = Stage::new();
    stage.on_enter("B", |state, _, cx| {
        cx.insert(note("never"));
        *state = Scripted::A(A::default());
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &["A:go", "B:enter(A)", "terminate(state lost from B, A)"],
    );
}

#[test]
fn n12_the_own_variant_may_be_written_through_self_in_enter() {
    let mut stage = Stage::new();
    stage.on_enter("B", |state, _, _| *state = Scripted::B(B::default()));
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(
        (stage.stopped().as_str(), stage.engine.state_name()),
        ("", "B")
    );
}

#[test]
fn n12_a_panic_in_the_closure_of_go_with_leaves_terminate_without_a_state() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    stage.log.take();
    stage.cast("go", |state, _, _, _| {
        state.a().go_with(|_| -> B { panic!("no way on") })
    });
    assert_eq!(stage.stopped(), "`no way on` in handle, in A");
    assert_eq!(
        caller.outcome(),
        "stopped: `no way on` in handle, in A, begun: true"
    );
    assert_log(
        &stage,
        &[
            "A:go",
            "c told",
            "terminate(`no way on` in handle, in A, no state)",
        ],
    );
}

/// The other callback mode: a handler for each state.
#[derive(StateMachine)]
#[machine(event = Order, data = Option<Next<Pair>>, handlers = "per_state")]
enum Pair {
    #[initial]
    #[to(Right)]
    Left(Left),
    #[to(Left)]
    Right,
}

struct Left(u8);

enum Order {
    Go,
    Lose,
    Keep,
    Return,
}

impl State<Pair> for Left {
    fn enter(&mut self, _: &mut Option<Next<Pair>>, _: &mut EnterCx<Pair>) {
        self.0 += 1;
    }

    fn handle(
        at: At<'_, Pair, Self>,
        order: Order,
        data: &mut Option<Next<Pair>>,
        _: &mut Cx<Pair>,
    ) -> Next<Pair> {
        match order {
            Order::Go => at.go(Right),
            Order::Lose => {
                drop(at.go_with(|_| Right));
                keep()
            }
            Order::Keep => {
                *data = Some(at.go(Right));
                keep()
            }
            Order::Return => data.take().expect("it was kept"),
        }
    }
}

impl State<Pair> for Right {
    fn handle(
        at: At<'_, Pair, Self>,
        _: Order,
        _: &mut Option<Next<Pair>>,
        _: &mut Cx<Pair>,
    ) -> Next<Pair> {
        at.go(Left(0))
    }
}

fn pair_after(orders: impl IntoIterator<Item = Order>) -> Engine<Pair> {
    let mut pair = Engine::new(Left(0), None);
    pair.start(&|| ms(0));
    for order in orders {
        pair.handle(order, &|| ms(0));
    }
    pair
}

#[test]
fn n12_a_machine_with_a_handler_for_each_state_loses_its_state_in_the_same_ways() {
    for orders in [vec![Order::Lose], vec![Order::Keep, Order::Return]] {
        let pair = pair_after(orders);
        assert!(
            matches!(pair.stopped(), Some(ExitReason::StateLost { from: "Left" })),
            "{:?}",
            pair.stopped()
        );
    }
}

#[test]
fn n13_a_machine_with_a_handler_for_each_state_enters_its_states() {
    let pair = pair_after([Order::Go, Order::Go]);
    assert!(
        matches!(pair.state(), Some(Pair::Left(Left(1)))),
        "a new struct was entered once"
    );
}

#[test]
fn n11_terminate_sees_the_data_as_a_panic_in_the_handler_left_it() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.on_terminate(move |_, state, luggage| {
        log.add(format!(
            "{} in state, {} in data",
            state.expect("a state").luggage().noise.len(),
            luggage.noise.len()
        ));
        luggage.noise.clear();
    });
    let log = stage.log.clone();
    stage.cast("boom", move |mut state: ScriptedAt<'_>, _, scene, _| {
        state.luggage().noise.push(log.noise("of state"));
        scene.luggage.noise.push(log.noise("of data"));
        panic!("boom")
    });
    assert_log(
        &stage,
        &[
            "A:boom",
            "terminate(`boom` in handle, in A, A)",
            "1 in state, 1 in data",
            "drop of data",
            "drop of state",
        ],
    );
}

#[test]
fn n11_after_a_panic_in_enter_the_state_is_the_new_one() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, _| panic!("boom"));
    let noise = RefCell::new(Some(stage.log.noise("a")));
    stage.cast("pack", move |mut state, _, _, _| {
        state.luggage().noise.extend(noise.take());
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &[
            "A:pack",
            "A:go",
            "drop a",
            "B:enter(A)",
            "terminate(`boom` in enter, in B, B)",
        ],
    );
}
