//! Postponed events: when they are offered again, and in what order (R12–R30).

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
    stage.log.take();
    assert_eq!(stage.engine.counts().postponed, 3);
    assert_eq!(stage.engine.counts().received, 4);
    stage.assert_counts();
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
