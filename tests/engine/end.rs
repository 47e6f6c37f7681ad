//! How a machine ends, in order, and that it stays ended (N60, N61, N66).

use std::cell::RefCell;
use std::rc::Rc;

use statem::{ExitReason, keep, postpone, stop};

use crate::scripted::{
    A, B, Event, Luggage, Scripted, Stage, assert_log, event, forever, ms, note,
};

#[test]
fn n60_what_a_stopping_handler_asked_for_is_dropped_unstarted_and_its_replies_stay_given() {
    let mut stage = Stage::new();
    let mut answered = stage.call_held("answered");
    let noise = RefCell::new(Some(stage.log.noise("unstarted")));
    stage.log.take();
    let mut stopping = stage.call("stop", move |mut state, _, _, cx| {
        cx.state_task(forever(noise.take().expect("once")), |()| note("never"));
        cx.state_timeout(ms(0), note("never"));
        cx.insert(note("never"));
        state
            .luggage()
            .replies
            .remove(0)
            .send(1)
            .expect("the caller waits");
        stop(ExitReason::Shutdown)
    });
    assert_log(
        &stage,
        &[
            "A:stop",
            "answered told",
            "terminate(shutdown, A)",
            "drop unstarted",
        ],
    );
    assert_eq!(answered.outcome(), "1");
    assert_eq!(stopping.outcome(), "stopped: shutdown, begun: true");
    stage.assert_counts();
}

#[test]
fn n60_a_stop_in_enter_drops_what_the_handler_asked_for() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, cx| cx.stop(ExitReason::Shutdown));
    stage.cast("go", |state, _, _, cx| {
        cx.insert(note("never"));
        state.go(B::default())
    });
    assert_log(&stage, &["A:go", "B:enter(A)", "terminate(shutdown, B)"]);
}

/// A way to end a machine.
type End = fn(&mut Stage);

#[test]
fn r96_terminate_gets_the_state_and_the_data_that_each_kind_of_end_leaves() {
    let ends: [(&str, End, &str); 6] = [
        (
            "a stop of the handler",
            |stage| {
                let log = stage.log.clone();
                stage.cast("stop", move |_, _, scene, _| {
                    scene.luggage.noise.push(log.noise("of data"));
                    stop(ExitReason::Normal)
                });
            },
            "A, 1",
        ),
        (
            "a panic of the handler",
            |stage| {
                let log = stage.log.clone();
                stage.cast("panic", move |_, _, scene, _| {
                    scene.luggage.noise.push(log.noise("of data"));
                    panic!("boom")
                });
            },
            "A, 1",
        ),
        (
            "a stop of enter",
            |stage| {
                stage.on_enter("B", |_, _, cx| cx.stop(ExitReason::Normal));
                go_with_data(stage);
            },
            "B, 1",
        ),
        (
            "a panic of enter",
            |stage| {
                stage.on_enter("B", |_, scene, _| {
                    scene.luggage.noise.clear();
                    panic!("boom")
                });
                go_with_data(stage);
            },
            "B, 0",
        ),
        (
            "another variant written in enter",
            |stage| {
                stage.on_enter("B", |state, _, _| *state = Scripted::A(A::default()));
                go_with_data(stage);
            },
            "A, 1",
        ),
        (
            "a stop from outside",
            |stage| {
                go_with_data(stage);
                stage.engine.stop(ExitReason::Normal);
            },
            "B, 1",
        ),
    ];
    for (end, how, expected) in ends {
        let mut stage = Stage::new();
        let seen = Rc::new(RefCell::new(String::new()));
        let told = seen.clone();
        stage.on_terminate(move |_, state, luggage| {
            let name = state.map_or("none", |state| state.name());
            told.replace(format!("{name}, {}", luggage.noise.len()));
        });
        how(&mut stage);
        assert_eq!(*seen.borrow(), expected, "{end}");
    }
}

/// Goes to B and leaves one more thing in the data.
fn go_with_data(stage: &mut Stage) {
    let log = stage.log.clone();
    stage.cast("go", move |state, _, scene, _| {
        scene.luggage.noise.push(log.noise("of data"));
        state.go(B::default())
    });
}

#[test]
fn n60_a_stop_keeps_the_state_when_the_handler_had_taken_nothing_out() {
    let mut stage = Stage::new();
    stage.cast("stop", |_, _, _, _| stop(std::io::Error::other("no more")));
    assert_log(&stage, &["A:stop", "terminate(no more, A)"]);
    assert!(stage.engine.state().is_none() && stage.engine.data().is_none());
}

/// A machine that owns one of everything, each of which logs its drop.
fn furnished() -> (Stage, Vec<crate::witness::Caller>) {
    let mut stage = Stage::new();
    let in_state = stage.call_held("c0");
    let log = stage.log.clone();
    stage.cast("furnish", move |mut state, _, scene, cx| {
        for name in ["k1", "k2"] {
            cx.state_task(forever(log.noise(name)), |()| note("never"));
        }
        state.luggage().noise.push(log.noise("state"));
        scene.luggage.noise.push(log.noise("data"));
        cx.state_timeout(ms(40), note("never").noisy(log.noise("timer")));
        keep()
    });
    for name in ["p1", "p2"] {
        let noise = stage.log.noise(name);
        stage.send(event("p", |_, event, _, _| postpone(event)).noisy(noise));
    }
    let postponed = stage.call("c1", |_, event, _, _| postpone(event));
    stage.log.take();
    (stage, vec![in_state, postponed])
}

#[test]
fn n61_the_end_is_in_order_and_every_caller_is_told_the_reason() {
    let (mut stage, mut callers) = furnished();
    let log = stage.log.clone();
    let inserted = RefCell::new(vec![
        stage.log.noise("q2"),
        stage.log.noise("q1"),
        stage.log.noise("zero"),
    ]);
    stage.handle(event("fill", move |_, _, _, cx| {
        let next = |name| note(name).noisy(inserted.borrow_mut().pop().expect("three"));
        cx.timeout("z", ms(0), next("zero"));
        cx.insert(next("q1"));
        cx.insert(next("q2"));
        keep()
    }));
    let sources = stage.running().len();
    stage.on_terminate(move |_, state, _| {
        log.add(format!(
            "{sources} sources, in {}",
            state.expect("a state").name()
        ));
    });
    stage.engine.stop(ExitReason::Shutdown);
    assert_log(
        &stage,
        &[
            "A:fill",
            "terminate(shutdown, A)",
            "2 sources, in A",
            "drop k2",
            "drop k1",
            "drop state",
            "c0 told",
            "drop q1",
            "drop q2",
            "drop zero",
            "drop p1",
            "drop p2",
            "c1 told",
            "drop timer",
            "drop data",
        ],
    );
    assert_eq!(callers[0].outcome(), "stopped: shutdown, begun: true");
    assert_eq!(callers[1].outcome(), "stopped: shutdown, begun: false");
    stage.assert_counts();
}

#[test]
fn n61_terminate_may_answer() {
    let mut stage = Stage::new();
    let mut answered = stage.call_held("answered");
    let mut dropped = stage.call_held("dropped");
    stage.on_terminate(|_, state, _| {
        let mut replies = std::mem::take(&mut state.expect("a state").luggage().replies);
        replies.remove(0).send(5).expect("the caller waits");
    });
    stage.engine.stop(ExitReason::Normal);
    assert_eq!(answered.outcome(), "5");
    assert_eq!(dropped.outcome(), "stopped: normal, begun: true");
}

#[test]
fn n61_a_guard_in_the_state_that_ends_does_no_harm() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.cast("start", move |mut state, _, scene, cx| {
        let mine = cx.task(forever(log.noise("of state")), |()| note("never"));
        let its = cx.task(forever(log.noise("of data")), |()| note("never"));
        state.luggage().guards.push(mine);
        scene.luggage.guards.push(its);
        scene.luggage.timers.push(cx.timer(ms(10), note("never")));
        keep()
    });
    stage.engine.stop(ExitReason::Normal);
    assert_log(
        &stage,
        &[
            "A:start",
            "terminate(normal, A)",
            "drop of data",
            "drop of state",
        ],
    );
}

#[test]
fn n66_a_stopped_engine_stays_stopped_and_refuses_what_comes() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(10), note("never"));
        cx.state_task(std::future::pending::<()>(), |()| note("never"));
        cx.insert(event("stop", |_, _, _, _| stop(ExitReason::Normal)));
        cx.insert(note("never"));
        keep()
    });
    let source = stage.engine.take_started()[0];
    let counts = stage.engine.counts();
    stage.log.take();

    let noise = stage.log.noise("refused");
    stage.send(note("cast").noisy(noise));
    let mut late = stage.call("call", |_, _, _, _| keep());
    assert_eq!(late.outcome(), "stopped: normal, begun: false");
    assert!(!stage.engine.fire(ms(1000)));
    assert!(!stage.engine.advance(&|| ms(0)));
    stage.engine.stop(ExitReason::Shutdown);
    stage.engine.start(&|| ms(0));
    stage.engine.source_panicked(source, &"late");

    assert_log(&stage, &["drop refused"]);
    assert_eq!(stage.stopped(), "normal");
    assert_eq!(stage.engine.counts(), counts);
}

#[test]
fn n66_an_engine_that_a_dropped_guard_ended_handles_no_more() {
    // The source of a guard that was dropped outside panics in its own drop when the engine takes
    // it away.
    let inputs: [fn(&mut Stage); 4] = [
        |stage| stage.handle(note("never")),
        |stage| assert!(!stage.engine.advance(&|| ms(0))),
        |stage| assert!(!stage.engine.fire(ms(1000))),
        |stage| {
            let now = stage.now.clone();
            let call = |reply| {
                let event: Event = note("never");
                drop::<statem::Reply<u32>>(reply);
                event
            };
            drop(stage.engine.call(call, &|| now.get()));
        },
    ];
    for input in inputs {
        let mut stage = Stage::new();
        let guard = std::rc::Rc::new(RefCell::new(None));
        let (give, bomb) = (guard.clone(), RefCell::new(Some(stage.log.bomb("bomb"))));
        stage.handle(event("start", move |_, _, _, cx| {
            *give.borrow_mut() =
                Some(cx.task(forever(bomb.take().expect("once")), |()| note("never")));
            cx.insert(note("never"));
            cx.timeout("g", ms(10), note("never"));
            keep()
        }));
        stage.log.take();
        drop(guard.take());
        input(&mut stage);
        assert_log(
            &stage,
            &[
                "drop bomb",
                "terminate(`bomb panics` in the drop of a source, in A, A)",
            ],
        );
        stage.assert_counts();
    }
}

#[test]
fn n61_a_machine_that_never_started_ends_like_any_other() {
    let mut stage = Stage::unstarted();
    stage.engine.stop(ExitReason::Shutdown);
    assert_log(&stage, &["terminate(shutdown, A)"]);
    stage.start();
    assert_log(&stage, &[]);
}

#[test]
fn n61_the_state_that_go_with_was_given_is_dropped_before_the_end() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.on_enter("B", |_, _, cx| cx.stop(ExitReason::Normal));
    stage.cast("go", move |state, _, _, _| {
        let noise = vec![log.noise("b")];
        state.a().go_with(|_| {
            B(Luggage {
                noise,
                ..Luggage::default()
            })
        })
    });
    assert_log(
        &stage,
        &["A:go", "B:enter(A)", "terminate(normal, B)", "drop b"],
    );
}
