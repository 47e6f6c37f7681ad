//! Postponed events: when they are offered again, and in what order (R12–R30).

use std::cell::Cell;

use statem::{keep, postpone, repeat};

use crate::scripted::{A, B, C, Stage, assert_log, event, ms, not_in_a, note};

#[test]
fn r12_inserted_before_retried_before_waiting() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p1"));
    stage.send(not_in_a("p2"));
    stage.cast("go", |state, _, _, cx| {
        cx.state_timeout(ms(0), note("zero"));
        cx.insert(note("n1"));
        cx.timeout("g", ms(0), note("t"));
        cx.insert(note("n2"));
        state.go(B::default())
    });
    stage.send(note("m1"));
    assert_log(
        &stage,
        &[
            "A:p1",
            "A:p2",
            "A:go",
            "B:enter(A)",
            "B:n1",
            "B:n2",
            "B:p1",
            "B:p2",
            "B:zero",
            "B:t",
            "B:m1",
        ],
    );
}

#[test]
fn r13_events_inserted_earlier_lose_to_postponed_ones_at_a_change_of_state() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p1"));
    stage.send(not_in_a("p2"));
    stage.cast("insert", |_, _, _, cx| {
        cx.insert(event("n1", |state, _, _, cx| {
            cx.insert(note("x1"));
            cx.insert(note("x2"));
            state.go(B::default())
        }));
        cx.insert(note("n2"));
        keep()
    });
    assert_log(
        &stage,
        &[
            "A:p1",
            "A:p2",
            "A:insert",
            "A:n1",
            "B:enter(A)",
            "B:x1",
            "B:x2",
            "B:p1",
            "B:p2",
            "B:n2",
        ],
    );
}

#[test]
fn r21_postponing_leaves_the_rest_of_the_transition_as_it_is() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(40), note("state"));
        keep()
    });
    stage.cast("p", |_, event, _, cx| {
        cx.timeout("g", ms(10), note("g"));
        cx.insert(note("n"));
        postpone(event)
    });
    assert_eq!(stage.postponed(), ["p"]);
    assert_eq!(stage.pending(), [("g", Some(10)), ("state", Some(40))]);
    assert_log(&stage, &["A:start", "A:p", "A:n"]);
}

#[test]
fn r22_only_a_change_of_state_retries() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    stage.cast("keep", |_, _, _, _| keep());
    stage.cast("repeat", |_, _, _, _| repeat());
    assert_eq!(stage.postponed(), ["p"]);
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert!(stage.postponed().is_empty());
}

#[test]
fn r23_every_change_of_state_retries_also_one_back_to_the_first_state() {
    let mut stage = Stage::new();
    stage.send(event("p", |state, event, _, _| {
        if state.name() == "C" {
            keep()
        } else {
            postpone(event)
        }
    }));
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    stage.cast("back", |state, _, _, _| state.go(A::default()));
    stage.cast("on", |state, _, _, _| state.go(C::default()));
    assert_log(
        &stage,
        &[
            "A:p",
            "A:go",
            "B:enter(A)",
            "B:p",
            "B:back",
            "A:enter(B)",
            "A:p",
            "A:on",
            "C:enter(A)",
            "C:p",
        ],
    );
    assert_eq!(stage.engine.counts().postponed, 3);
    assert_eq!(stage.engine.counts().received, 4);
    stage.assert_counts();
}

#[test]
fn r24_postponed_events_keep_the_order_in_which_they_were_postponed() {
    let mut stage = Stage::new();
    let not_in_a_or_b = |name| {
        event(name, |state, event, _, _| match state.name() {
            "C" => keep(),
            _ => postpone(event),
        })
    };
    stage.send(not_in_a_or_b("e1"));
    stage.cast("e2", move |state, _, _, cx| {
        cx.insert(not_in_a_or_b("e3"));
        state.go(B::default())
    });
    assert_eq!(stage.postponed(), ["e3", "e1"]);
    stage.log.take();
    stage.cast("go", |state, _, _, _| state.go(C::default()));
    assert_log(&stage, &["B:go", "C:enter(B)", "C:e3", "C:e1"]);
}

#[test]
fn r25_an_event_postponed_in_the_transition_that_changes_the_state_comes_last_of_the_postponed() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p1"));
    stage.cast("go", |state, event, _, cx| {
        if state.name() == "A" {
            cx.postpone(event);
            return state.go(B::default());
        }
        keep()
    });
    assert_log(&stage, &["A:p1", "A:go", "B:enter(A)", "B:p1", "B:go"]);
}

#[test]
fn r26_two_states_that_both_postpone_an_event_and_go_never_rest() {
    let mut stage = Stage::new();
    stage.handle(event("to and fro", |state, event, _, cx| {
        cx.postpone(event);
        match state.name() {
            "A" => state.go(B::default()),
            _ => state.go(A::default()),
        }
    }));
    for _ in 0..1000 {
        assert!(stage.engine.advance(&|| ms(0)));
    }
    assert!(stage.engine.has_queued());
    assert_eq!(stage.engine.counts().received, 1);
}

#[test]
fn r27_retried_events_are_ordinary_queued_ones_when_the_state_changes_again() {
    let mut stage = Stage::new();
    stage.send(event("p1", |state, event, _, _| {
        if state.name() == "C" {
            keep()
        } else {
            postpone(event)
        }
    }));
    stage.send(event("p2", |state, event, _, _| match state.name() {
        "A" => postpone(event),
        _ => state.go(C::default()),
    }));
    stage.send(not_in_a("p3"));
    stage.log.take();
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &[
            "A:go",
            "B:enter(A)",
            "B:p1",
            "B:p2",
            "C:enter(B)",
            "C:p1",
            "C:p3",
        ],
    );
}

#[test]
fn r28_an_inserted_event_may_be_postponed() {
    let mut stage = Stage::new();
    stage.cast("insert", |_, _, _, cx| {
        cx.insert(not_in_a("n"));
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(&stage, &["A:insert", "A:n", "A:go", "B:enter(A)", "B:n"]);
    stage.assert_counts();
}

#[test]
fn r30_a_retried_event_cancels_the_event_timeout_as_any_other_does() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    stage.cast("go", |state, _, _, cx| {
        cx.event_timeout(ms(10), note("never"));
        state.go(B::default())
    });
    stage.until(100);
    assert_log(&stage, &["A:p", "A:go", "B:enter(A)", "B:p"]);
    // It counts when it is postponed once more, too.
    let mut stage = Stage::new();
    let times = Cell::new(0);
    stage.send(event("p", move |_, event, _, _| {
        times.set(times.get() + 1);
        if times.get() < 3 {
            postpone(event)
        } else {
            keep()
        }
    }));
    stage.cast("go", |state, _, _, cx| {
        cx.event_timeout(ms(10), note("never"));
        state.go(B::default())
    });
    assert_eq!(stage.postponed(), ["p"]);
    assert!(stage.pending().is_empty());
}
