//! One event through the machine: in what order things are done, and by whom they were asked for
//! (N1–N10).

use std::cell::RefCell;
use std::rc::Rc;

use statem::{Origin, keep, keep_and_retry, postpone, repeat};

use crate::scripted::{A, B, Luggage, Stage, assert_log, event, forever, ms, not_in_a, note};
use crate::witness::Caller;

#[test]
fn n1_a_transition_drops_the_old_state_then_enters_then_tells_the_callers_in_the_order_given() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, cx| cx.insert(note("e")));
    let mut zero = stage.call_held("c0");
    let (of_state, in_state) = (stage.log.noise("kA"), stage.log.noise("a"));
    let ours = Rc::new(RefCell::new(Some((of_state, in_state))));
    stage.cast("start", move |mut state, _, _, cx| {
        let (of_state, in_state) = ours.take().expect("it starts once");
        cx.state_task(forever(of_state), |()| note("never"));
        state.luggage().noise.push(in_state);
        keep()
    });
    stage.log.take();
    let mut one = stage.call("c1", |state, event, _, _| {
        event.reply().send(1).expect("the caller waits");
        state.go(B::default())
    });
    // The answer of a call that is answered in its own transition is there when the call returns:
    // nobody is woken.
    assert_log(
        &stage,
        &["A:c1", "drop kA", "drop a", "B:enter(A)", "c0 told", "B:e"],
    );
    assert_eq!(one.outcome(), "1");
    assert_eq!(zero.outcome(), "not answered in A");
}

#[test]
fn n1_callers_are_told_in_the_order_the_replies_were_given_however_they_were_given() {
    let mut stage = Stage::new();
    let mut callers = [
        stage.call_held("first"),
        stage.call_held("second"),
        stage.call_held("third"),
    ];
    stage.log.take();
    stage.cast("go", |mut state, _, _, _| {
        state
            .luggage()
            .replies
            .remove(1)
            .send(2)
            .expect("the caller waits");
        state.go(B::default())
    });
    assert_log(
        &stage,
        &[
            "A:go",
            "B:enter(A)",
            "second told",
            "first told",
            "third told",
        ],
    );
    assert_eq!(
        callers.each_mut().map(Caller::outcome),
        ["not answered in A", "2", "not answered in A"]
    );
}

#[test]
fn n1_what_go_with_moved_is_not_dropped_with_the_old_state() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.cast("pack", move |mut state, _, _, _| {
        state
            .luggage()
            .noise
            .extend([log.noise("left"), log.noise("moved")]);
        keep()
    });
    stage.cast("go", |state, _, _, _| {
        state.a().go_with(|mut old: A| {
            let moved = old.0.noise.pop().into_iter().collect();
            B(Luggage {
                noise: moved,
                ..Luggage::default()
            })
        })
    });
    assert_log(&stage, &["A:pack", "A:go", "drop left", "B:enter(A)"]);
    stage.cast("on", |state, _, _, _| state.go(A::default()));
    assert_log(&stage, &["B:on", "drop moved", "A:enter(B)"]);
}

#[test]
fn n1_state_scoped_sources_are_dropped_newest_first() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.cast("start", move |_, _, _, cx| {
        for name in ["first", "second", "third"] {
            cx.state_task(forever(log.noise(name)), |()| note("never"));
        }
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &[
            "A:start",
            "A:go",
            "drop third",
            "drop second",
            "drop first",
            "B:enter(A)",
        ],
    );
}

#[test]
fn n2_what_a_handler_asks_for_is_done_after_the_enter_call() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, cx| {
        cx.cancel_timeout("g");
        cx.insert(note("of enter"));
    });
    stage.cast("go", |state, _, _, cx| {
        cx.timeout("g", ms(0), note("g"));
        cx.insert(note("of handle"));
        state.go(B::default())
    });
    assert_log(&stage, &["A:go", "B:enter(A)", "B:of handle", "B:of enter"]);
}

#[test]
fn n2_update_speaks_of_the_timeout_that_ran_before_the_transition() {
    let mut stage = Stage::new();
    stage.cast("both", |_, _, _, cx| {
        cx.timeout("g", ms(20), note("c3"));
        cx.update_timeout("g", note("c4"));
        keep()
    });
    assert_log(&stage, &["A:both", "A:c4"]);
    assert!(stage.pending().is_empty());
}

#[test]
fn n3_what_is_asked_for_belongs_to_the_state_the_transition_ends_in() {
    let mut stage = Stage::new();
    let noise = RefCell::new(Some(stage.log.noise("t1")));
    stage.cast("go", move |state, _, _, cx| {
        let noise = noise.take().expect("it goes once");
        cx.state_task(forever(noise), |()| note("never"));
        cx.state_timeout(ms(40), note("timeout"));
        state.go(B::default())
    });
    assert_log(&stage, &["A:go", "B:enter(A)"]);
    assert_eq!(stage.pending(), [("timeout", Some(40))]);
    assert_eq!(stage.running().len(), 1);
    stage.cast("on", |state, _, _, _| state.go(A::default()));
    assert_log(&stage, &["B:on", "drop t1", "A:enter(B)"]);
    assert!(stage.pending().is_empty());
}

#[test]
fn n4_postponing_and_going_are_two_independent_things() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p1"));
    stage.cast("go", |state, event, _, cx| {
        if state.name() == "B" {
            return keep();
        }
        cx.insert(note("n1"));
        cx.postpone(event);
        state.go(B::default())
    });
    assert_log(
        &stage,
        &["A:p1", "A:go", "B:enter(A)", "B:n1", "B:p1", "B:go"],
    );
}

#[test]
fn n5_a_postponed_event_may_be_modified_and_keeps_its_origin_and_its_caller() {
    let mut stage = Stage::new();
    let origins = Rc::new(RefCell::new(Vec::new()));
    let seen = origins.clone();
    let mut caller = stage.call("c", move |state, mut event, _, cx| {
        seen.borrow_mut().push(cx.origin());
        if state.name() == "A" {
            event.rename("c again");
            return postpone(event);
        }
        event.reply().send(7).expect("the caller waits");
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &["A:c", "A:go", "B:enter(A)", "B:c again", "c told"],
    );
    assert_eq!(*origins.borrow(), [Origin::Call, Origin::Call]);
    assert_eq!(caller.outcome(), "7");
}

#[test]
fn n5_an_event_that_is_neither_given_back_nor_forwarded_drops_its_reply() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, _, _, _| keep());
    assert_eq!(caller.outcome(), "not answered in A");
}

#[test]
fn n5_an_unexpected_event_is_consumed_and_its_caller_is_told() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, event, _, _| statem::unexpected(event));
    assert_eq!(caller.outcome(), "unexpected in A");
    assert_eq!(stage.engine.counts().unexpected, 1);
    assert_eq!(stage.stopped(), "");
    stage.assert_counts();
}

#[test]
fn n5_a_second_postpone_in_one_transition_is_a_bug_of_the_machine() {
    let mut stage = Stage::new();
    stage.cast("twice", |_, event, _, cx| {
        cx.postpone(event);
        postpone(note("another"))
    });
    assert!(
        stage.stopped().contains("postponed twice"),
        "{}",
        stage.stopped()
    );
}

#[cfg(debug_assertions)]
#[test]
fn n5_postponing_another_variant_is_a_bug_of_the_machine() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, _, _, _| postpone(note("a cast")));
    assert!(
        stage.stopped().contains("another variant"),
        "{}",
        stage.stopped()
    );
    assert!(caller.outcome().contains("begun: true"));
}

#[test]
fn n6_events_of_enter_come_after_those_of_the_handler_and_before_retried_ones() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, cx| cx.insert(note("e")));
    stage.send(not_in_a("p"));
    stage.cast("go", |state, _, _, cx| {
        cx.insert(note("h"));
        state.go(B::default())
    });
    assert_log(&stage, &["A:p", "A:go", "B:enter(A)", "B:h", "B:e", "B:p"]);
}

#[test]
fn n6_enter_may_reply_set_timeouts_and_start_sources() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, scene, cx| {
        scene
            .luggage
            .replies
            .remove(0)
            .send(5)
            .expect("the caller waits");
        cx.state_timeout(ms(10), note("timeout"));
        cx.state_task(std::future::ready(()), |()| note("output"));
    });
    let mut caller = stage.call("c", |_, event, scene, _| {
        scene.luggage.replies.push(event.reply());
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(caller.outcome(), "5");
    stage.poll_all();
    stage.until(10);
    assert_log(
        &stage,
        &[
            "A:c",
            "A:go",
            "B:enter(A)",
            "c told",
            "B:output",
            "B:timeout",
        ],
    );
}

#[test]
fn n6_r77_enter_repeats_with_the_same_previous_state_and_its_sources_never_start() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    let calls = std::cell::Cell::new(0);
    stage.on_enter("B", move |_, _, cx| {
        calls.set(calls.get() + 1);
        let name = ["first", "second", "third"][calls.get() - 1];
        cx.state_task(forever(log.noise(name)), |()| note("never"));
        cx.insert(note(name));
        if calls.get() < 3 {
            cx.repeat();
        }
    });
    let of_handle = RefCell::new(Some(stage.log.noise("of handle")));
    stage.cast("go", move |state, _, _, cx| {
        let noise = of_handle.take().expect("it goes once");
        cx.state_task(forever(noise), |()| note("never"));
        state.go(B::default())
    });
    assert_log(
        &stage,
        &[
            "A:go",
            "B:enter(A)",
            "drop first",
            "B:enter(A)",
            "drop second",
            "B:enter(A)",
            "B:first",
            "B:second",
            "B:third",
        ],
    );
    assert_eq!(
        stage.running().len(),
        2,
        "the handler's source and the last one of enter"
    );
}

#[test]
fn n6_enter_may_repeat_a_thousand_times_and_no_more() {
    for (repeats, ends) in [(1000, ""), (1001, "overflow: EnterRepeats")] {
        let mut stage = Stage::new();
        let calls = std::cell::Cell::new(0);
        stage.on_enter("B", move |_, _, cx| {
            calls.set(calls.get() + 1);
            if calls.get() <= repeats {
                cx.repeat();
            }
        });
        stage.cast("go", |state, _, _, _| state.go(B::default()));
        assert_eq!(stage.stopped(), ends);
    }
}

#[test]
fn n6_the_first_stop_of_enter_wins_and_what_was_collected_is_discarded() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    stage.on_enter("B", |state, _, cx| {
        cx.insert(note("never"));
        state
            .luggage()
            .replies
            .remove(0)
            .send(3)
            .expect("the caller waits");
        cx.stop(std::io::Error::other("first"));
        cx.stop(std::io::Error::other("second"));
        cx.repeat();
    });
    stage.log.take();
    stage.cast("go", |state, _, _, _| {
        state.a().go_with(|old: A| {
            B(Luggage {
                replies: old.0.replies,
                ..Luggage::default()
            })
        })
    });
    assert_log(
        &stage,
        &["A:go", "B:enter(A)", "c told", "terminate(first, B)"],
    );
    assert_eq!(caller.outcome(), "3");
}

#[test]
fn n10_r88_init_and_the_first_enter_call_are_one_transition_before_any_message() {
    let mut stage = Stage::unstarted();
    stage.on_enter("A", |_, _, cx| {
        cx.insert(note("of enter"));
        cx.event_timeout(ms(0), note("never: an event comes first"));
        cx.state_timeout(ms(0), note("zero"));
    });
    stage
        .engine
        .start_with(|_, cx| cx.insert(note("of init")), &|| ms(0));
    stage.settle();
    assert_log(&stage, &["A:enter(A)", "A:of init", "A:of enter", "A:zero"]);
    stage.assert_counts();
}

#[test]
fn n10_init_may_stop_the_machine_before_it_enters() {
    let mut stage = Stage::unstarted();
    stage
        .engine
        .start_with(|_, cx| cx.stop(std::io::Error::other("no")), &|| ms(0));
    assert_log(&stage, &["terminate(no, A)"]);
}

#[test]
fn r74_the_previous_state_is_the_own_one_at_the_start_and_on_repeat() {
    let mut stage = Stage::unstarted();
    stage.start();
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    stage.cast("again", |_, _, _, _| repeat());
    assert_log(
        &stage,
        &["A:enter(A)", "A:go", "B:enter(A)", "B:again", "B:enter(B)"],
    );
}

#[test]
fn n49_keep_and_retry_offers_postponed_events_and_touches_nothing_else() {
    let mut stage = Stage::new();
    let once = std::cell::Cell::new(true);
    let p1 = event(
        "p1",
        move |_, event, _, _| if once.take() { postpone(event) } else { keep() },
    );
    stage.send(p1);
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(40), note("timeout"));
        cx.state_task(std::future::pending::<()>(), |()| note("never"));
        keep()
    });
    stage.cast("room", |_, _, _, _| keep_and_retry());
    assert_log(&stage, &["A:p1", "A:start", "A:room", "A:p1"]);
    assert_eq!(stage.pending(), [("timeout", Some(40))]);
    assert_eq!(stage.running().len(), 1);
}

#[test]
fn n49_what_is_retried_comes_in_its_order_after_what_was_inserted_and_before_the_mailbox() {
    let mut stage = Stage::new();
    for name in ["p1", "p2"] {
        let once = std::cell::Cell::new(true);
        stage.send(event(name, move |_, event, _, _| {
            if once.take() { postpone(event) } else { keep() }
        }));
    }
    // Postponed in the very transition that asks: it is offered with the others, as the newest.
    let once = std::cell::Cell::new(true);
    stage.send(event("p3", move |_, event, _, cx| {
        if !once.take() {
            return keep();
        }
        cx.insert(note("inserted"));
        cx.postpone(event);
        keep_and_retry()
    }));
    stage.cast("m", |_, _, _, _| keep());
    assert_log(
        &stage,
        &[
            "A:p1",
            "A:p2",
            "A:p3",
            "A:inserted",
            "A:p1",
            "A:p2",
            "A:p3",
            "A:m",
        ],
    );
}
