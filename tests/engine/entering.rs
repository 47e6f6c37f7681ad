//! The enter call: when it comes, and how it joins the transition it is part of (R72–R80).

use statem::{keep, repeat};

use crate::scripted::{A, B, Scripted, Stage, assert_log, ms, not_in_a, note};

#[test]
fn r73_enter_is_called_at_the_start_on_a_change_of_state_and_on_repeat_and_never_else() {
    let mut stage = Stage::unstarted();
    stage.start();
    assert_log(&stage, &["A:enter(A)"]);
    stage.send(note("keep"));
    stage.send(not_in_a("postponed"));
    stage.cast("retry", |_, _, _, _| statem::keep_and_retry());
    stage.engine.replace(Scripted::B(B::default()));
    assert_log(&stage, &["A:keep", "A:postponed", "A:retry", "A:postponed"]);
    stage.cast("again", |_, _, _, _| repeat());
    assert_log(&stage, &["B:again", "B:enter(B)"]);
    stage.cast("go", |state, _, _, _| state.go(A::default()));
    assert_eq!(stage.log.take()[..2], ["B:go", "A:enter(B)"]);
}

#[test]
fn r75_enter_comes_before_any_timeout_is_started_and_before_any_event() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    let now = stage.now.clone();
    stage.on_enter("B", move |_, _, _| now.set(ms(100)));
    stage.cast("go", |state, _, _, cx| {
        cx.timeout("g", ms(20), note("g"));
        cx.timeout("z", ms(0), note("zero"));
        cx.insert(note("n"));
        state.go(B::default())
    });
    assert_eq!(stage.pending(), [("g", Some(120))]);
    assert_log(
        &stage,
        &["A:p", "A:go", "B:enter(A)", "B:n", "B:p", "B:zero"],
    );
}

#[test]
fn r76_what_enter_asks_for_overrides_what_the_handler_asked_for() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, _, cx| {
        cx.state_timeout(ms(20), note("y"));
        cx.cancel_timeout("g");
    });
    stage.cast("go", |state, _, _, cx| {
        cx.state_timeout(ms(5), note("x"));
        cx.timeout("g", ms(5), note("g"));
        cx.timeout("h", ms(5), note("h"));
        state.go(B::default())
    });
    stage.until(100);
    assert_log(&stage, &["A:go", "B:enter(A)", "B:h", "B:y"]);
}

#[test]
fn r76_enter_sees_the_data_that_the_handler_left_and_leaves_its_own() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    stage.on_enter("B", move |_, scene, _| {
        log.add(format!("{} found", scene.luggage.noise.len()));
        scene.luggage.noise.clear();
    });
    let log = stage.log.clone();
    stage.cast("go", move |state, _, scene, _| {
        scene.luggage.noise.push(log.noise("of data"));
        state.go(B::default())
    });
    let log = stage.log.clone();
    stage.cast("look", move |_, _, scene, _| {
        log.add(format!("{} left", scene.luggage.noise.len()));
        keep()
    });
    assert_log(
        &stage,
        &[
            "A:go",
            "B:enter(A)",
            "1 found",
            "drop of data",
            "B:look",
            "0 left",
        ],
    );
}

#[test]
fn r80_what_the_handler_postponed_stays_postponed_whatever_enter_does() {
    let mut stage = Stage::new();
    let calls = std::cell::Cell::new(0);
    stage.on_enter("B", move |_, _, cx| {
        calls.set(calls.get() + 1);
        if calls.get() < 3 {
            cx.repeat();
        }
    });
    stage.cast("go", |state, event, _, cx| {
        if state.name() == "B" {
            return keep();
        }
        cx.postpone(event);
        state.go(B::default())
    });
    assert_log(
        &stage,
        &["A:go", "B:enter(A)", "B:enter(A)", "B:enter(A)", "B:go"],
    );
}
