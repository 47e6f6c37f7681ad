//! `Timer`: a timeout that a value owns, and the table that all running timeouts are kept in.

use std::time::Duration;

use statem::{Timer, keep, postpone};

use crate::scripted::{A, B, Luggage, Stage, assert_log, event, ms, not_in_a, note};

/// A machine in A that holds a timer of 10 ms in its state.
fn with_timer_in_state(name: &'static str) -> Stage {
    let mut stage = Stage::new();
    stage.cast("start", move |mut state, _, _, cx| {
        let timer = cx.timer(ms(10), note(name));
        state.luggage().timers.push(timer);
        keep()
    });
    stage.log.take();
    stage
}

#[test]
fn n35_a_timer_fires_while_it_is_held_and_events_do_not_cancel_it() {
    let mut stage = with_timer_in_state("timer");
    stage.send(note("m"));
    stage.until(10);
    assert_log(&stage, &["A:m", "A:timer"]);
}

#[test]
fn n35_a_timer_at_a_time_fires_then_and_a_past_one_at_once() {
    let mut stage = Stage::new();
    stage.until(20);
    stage.cast("start", |_, _, scene, cx| {
        let timers = [("late", 30), ("past", 10)].map(|(name, at)| cx.timer_at(ms(at), note(name)));
        assert!(timers.iter().all(|timer| timer.id().is_some()));
        scene.luggage.timers.extend(timers);
        keep()
    });
    assert_eq!(stage.pending(), [("past", Some(10)), ("late", Some(30))]);
    stage.until(20);
    assert_log(&stage, &["A:start", "A:past"]);
    stage.until(30);
    assert_log(&stage, &["A:late"]);
}

#[test]
fn n35_a_timer_dropped_in_a_handler_is_cancelled() {
    let mut stage = with_timer_in_state("never");
    stage.cast("drop", |mut state, _, _, _| {
        state.luggage().timers.clear();
        keep()
    });
    assert!(stage.pending().is_empty());
    stage.until(100);
    assert_log(&stage, &["A:drop"]);
}

#[test]
fn n35_a_timer_in_the_old_state_ends_with_it_and_goes_on_when_it_is_moved() {
    let mut stage = with_timer_in_state("never");
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert!(stage.pending().is_empty());

    let mut stage = with_timer_in_state("timer");
    stage.cast("go", |state, _, _, _| {
        state.a().go_with(|old: A| {
            B(Luggage {
                timers: old.0.timers,
                ..Luggage::default()
            })
        })
    });
    stage.until(10);
    assert_log(&stage, &["A:go", "B:enter(A)", "B:timer"]);
}

#[test]
fn n35_a_timer_dropped_on_another_thread_is_cancelled() {
    let mut stage = Stage::new();
    let (give, take) = std::sync::mpsc::channel();
    stage.cast("start", move |_, _, _, cx| {
        give.send(cx.timer(ms(10), note("never")))
            .expect("the test waits");
        keep()
    });
    let timer: Timer = take.recv().expect("a timer");
    std::thread::spawn(move || drop(timer))
        .join()
        .expect("the drop does not panic");
    assert!(!stage.engine.fire(ms(10)));
    stage.send(note("m"));
    assert!(stage.pending().is_empty());
    assert_log(&stage, &["A:start", "A:m"]);
}

#[test]
fn n35_a_timer_dropped_in_the_transition_that_asked_for_it_never_starts() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        drop(cx.timer(ms(10), note("never")));
        drop(cx.timer(ms(0), note("never")));
        keep()
    });
    assert!(stage.pending().is_empty());
    assert_log(&stage, &["A:start"]);
}

#[test]
fn n35_a_timer_of_zero_dropped_before_it_is_due_is_cancelled() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        scene.luggage.timers.push(cx.timer(ms(0), note("never")));
        cx.insert(event("drop", |_, _, scene, _| {
            scene.luggage.timers.clear();
            keep()
        }));
        keep()
    });
    assert_log(&stage, &["A:start", "A:drop"]);
}

#[test]
fn n35_take_leaves_an_inert_timer() {
    let mut stage = with_timer_in_state("timer");
    stage.cast("swap", |mut state, _, scene, _| {
        let taken = state.luggage().timers[0].take();
        assert!(taken.id().is_some() && state.luggage().timers[0].id().is_none());
        state.luggage().timers.clear();
        scene.luggage.timers.push(taken);
        keep()
    });
    stage.until(10);
    assert_log(&stage, &["A:swap", "A:timer"]);
}

#[test]
fn n36_a_postponed_event_of_a_timer_goes_with_its_timer() {
    let mut stage = Stage::new();
    stage.cast("start", |mut state, _, _, cx| {
        let timer = cx.timer(ms(10), event("timer", |_, event, _, _| postpone(event)));
        state.luggage().timers.push(timer);
        keep()
    });
    stage.until(10);
    assert_eq!(stage.postponed(), ["timer"]);
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(&stage, &["A:start", "A:timer", "A:go", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n36_another_event_postponed_in_the_transition_that_drops_a_timer_stays() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        let timer = cx.timer(ms(10), not_in_a("timer"));
        scene.luggage.timers.push(timer);
        keep()
    });
    stage.until(10);
    assert_eq!(stage.postponed(), ["timer"]);
    stage.cast("drop", |_, event, scene, _| {
        scene.luggage.timers.clear();
        postpone(event)
    });
    assert_eq!(stage.postponed(), ["drop"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n36_an_event_of_a_timer_postponed_in_the_transition_that_drops_its_timer_goes_with_it() {
    let mut stage = Stage::new();
    stage.cast("start", |mut state, _, _, cx| {
        let timer = cx.timer(
            ms(10),
            event("timer", |state, event, _, cx| {
                cx.postpone(event);
                state.go(B::default())
            }),
        );
        state.luggage().timers.push(timer);
        keep()
    });
    stage.until(10);
    assert_log(&stage, &["A:start", "A:timer", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn r28_a_postponed_timeout_has_nothing_to_do_with_its_timer_any_more() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(10), crate::scripted::not_in_a("timeout"));
        keep()
    });
    stage.until(10);
    stage.cast("go", |state, _, _, cx| {
        cx.cancel_state_timeout();
        state.go(B::default())
    });
    assert_log(
        &stage,
        &["A:start", "A:timeout", "A:go", "B:enter(A)", "B:timeout"],
    );
}

#[test]
fn n8_names_are_equal_by_value_and_the_timeouts_without_a_name_are_others() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout("g", ms(10), note("old"));
        cx.state_timeout(ms(20), note("state"));
        cx.event_timeout(ms(30), note("silence"));
        keep()
    });
    let same: &'static str = String::from("g").leak();
    stage.cast("restart", move |_, _, _, cx| {
        cx.timeout(same, ms(40), note("new"));
        keep()
    });
    assert_eq!(stage.pending(), [("state", Some(20)), ("new", Some(40))]);
}

#[test]
fn n8_the_event_of_a_cancelled_timeout_is_dropped_after_the_enter_call() {
    let mut stage = Stage::new();
    let noise = std::cell::RefCell::new(Some(stage.log.noise("timeout")));
    stage.cast("start", move |_, _, _, cx| {
        cx.timeout(
            "g",
            ms(10),
            note("never").noisy(noise.take().expect("once")),
        );
        keep()
    });
    stage.cast("go", |state, _, _, cx| {
        cx.cancel_timeout("g");
        state.go(B::default())
    });
    assert_log(&stage, &["A:start", "A:go", "B:enter(A)", "drop timeout"]);
}

#[test]
fn r64_cancelling_what_does_not_run_does_nothing() {
    let mut stage = Stage::new();
    stage.cast("cancel", |_, _, _, cx| {
        cx.cancel_state_timeout();
        cx.cancel_event_timeout();
        cx.cancel_timeout("g");
        keep()
    });
    assert_log(&stage, &["A:cancel"]);
    assert_eq!(stage.stopped(), "");
}

/// A sequence of numbers that looks random and is the same in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn n26_the_timer_table_agrees_with_a_sorted_list() {
    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let mut stage = Stage::new();
    let mut numbers = Numbers::new(7);
    // Deadline, start order and name of what runs.
    let mut running: Vec<(Duration, usize, &str)> = Vec::new();
    for step in 0..20_000 {
        let name = NAMES[usize::try_from(numbers.below(12)).expect("it is small")];
        let time = ms(numbers.below(40));
        match numbers.below(4) {
            0 => {
                running.retain(|(_, _, other)| *other != name);
                stage.cast("cancel", move |_, _, _, cx| {
                    cx.cancel_timeout(name);
                    keep()
                });
            }
            1 => {
                let due = running
                    .iter()
                    .min()
                    .copied()
                    .filter(|(deadline, ..)| *deadline <= time);
                running.retain(|timer| Some(*timer) != due);
                stage.log.take();
                assert_eq!(stage.engine.fire(time), due.is_some());
                let fired = stage.log.take();
                assert_eq!(
                    fired.first().map(|entry| &entry[2..]),
                    due.map(|(_, _, name)| name)
                );
            }
            _ => {
                running.retain(|(_, _, other)| *other != name);
                running.push((time, step, name));
                stage.cast("start", move |_, _, _, cx| {
                    cx.timeout_at(name, time, note(name));
                    keep()
                });
            }
        }
        assert_eq!(
            stage.engine.deadline(),
            running.iter().min().map(|(deadline, ..)| *deadline)
        );
    }
}
