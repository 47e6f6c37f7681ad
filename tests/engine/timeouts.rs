//! The three kinds of timeouts: what starts, restarts, updates and cancels them, and in what order
//! they come (N24–N26, R52–R71, R148).

use statem::{keep, repeat};

use crate::scripted::{B, Stage, assert_log, event, ms, not_in_a, note};

#[test]
fn n24_r54_relative_time_counts_from_the_end_of_the_transition() {
    let mut stage = Stage::new();
    let now = stage.now.clone();
    stage.on_enter("B", move |_, _, _| now.set(ms(70)));
    let now = stage.now.clone();
    stage.cast("slow", move |state, _, _, cx| {
        cx.state_timeout(ms(30), note("timeout"));
        now.set(ms(40));
        state.go(B::default())
    });
    assert_eq!(stage.pending(), [("timeout", Some(100))]);
}

#[test]
fn n24_the_clock_is_read_once_a_transition_and_only_for_a_relative_timeout() {
    let mut stage = Stage::new();
    let reads = std::cell::Cell::new(0);
    let clock = || {
        reads.set(reads.get() + 1);
        ms(reads.get())
    };
    let asks_for_absolute_and_zero = event("absolute", |_, _, _, cx| {
        cx.state_timeout_at(ms(7), note("timeout"));
        cx.timeout("zero", ms(0), note("zero"));
        cx.update_timeout("idle", note("update"));
        cx.cancel_timeout("none");
        keep()
    });
    stage.engine.handle(asks_for_absolute_and_zero, &clock);
    assert_eq!(reads.get(), 0);
    let asks_for_relative = event("relative", |_, _, _, cx| {
        cx.state_timeout(ms(10), note("state"));
        cx.timeout("g", ms(10), note("g"));
        keep()
    });
    stage.engine.handle(asks_for_relative, &clock);
    assert_eq!(reads.get(), 1);
}

#[test]
fn n24_time_never_runs_backwards() {
    let mut stage = Stage::new();
    stage.now.set(ms(50));
    stage.cast("first", |_, _, _, cx| {
        cx.timeout("g", ms(10), note("g"));
        keep()
    });
    stage.now.set(ms(20));
    stage.cast("second", |_, _, _, cx| {
        cx.timeout("h", ms(10), note("h"));
        keep()
    });
    assert_eq!(stage.pending(), [("g", Some(60)), ("h", Some(60))]);
}

#[test]
fn n25_a_nanosecond_is_a_timer_and_zero_is_not() {
    let mut stage = Stage::new();
    stage.handle(event("start", |_, _, _, cx| {
        cx.timeout("one", std::time::Duration::from_nanos(1), note("one"));
        cx.timeout("zero", ms(0), note("zero"));
        keep()
    }));
    assert_eq!(
        stage.engine.deadline(),
        Some(std::time::Duration::from_nanos(1))
    );
    assert!(!stage.engine.fire(ms(0)), "no timeout fires early");
    stage.settle();
    assert_log(&stage, &["A:start", "A:zero"]);
    stage.until(1);
    assert_log(&stage, &["A:one"]);
}

#[test]
fn n25_a_deadline_that_overflows_is_never() {
    let mut stage = Stage::new();
    stage.now.set(ms(1));
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(std::time::Duration::MAX, note("never"));
        cx.timeout_at("g", std::time::Duration::MAX, note("never either"));
        keep()
    });
    assert_eq!(
        stage
            .pending()
            .iter()
            .map(|(_, due)| *due)
            .collect::<Vec<_>>(),
        [None, None]
    );
    assert_eq!(stage.engine.deadline(), None);
    assert!(!stage.engine.fire(std::time::Duration::MAX));
    stage.cast("update", |_, _, _, cx| {
        cx.update_state_timeout(note("never, updated"));
        keep()
    });
    assert!(
        stage.pending().contains(&("never, updated", None)),
        "it runs, so an update finds it"
    );
}

#[test]
fn n26_equal_deadlines_fire_in_start_order_and_within_a_transition_the_last_request_first() {
    let mut stage = Stage::new();
    stage.cast("first", |_, _, _, cx| {
        cx.timeout("a", ms(10), note("a"));
        cx.timeout("b", ms(10), note("b"));
        cx.state_timeout(ms(10), note("state"));
        keep()
    });
    stage.cast("second", |_, _, _, cx| {
        cx.timeout("c", ms(10), note("c"));
        keep()
    });
    stage.until(10);
    assert_log(
        &stage,
        &["A:first", "A:second", "A:state", "A:b", "A:a", "A:c"],
    );
}

#[test]
fn n26_an_update_keeps_the_place_and_a_restart_takes_a_new_one() {
    let mut stage = Stage::new();
    for name in ["a", "b", "c"] {
        stage.cast("start", move |_, _, _, cx| {
            cx.timeout(name, ms(10), note(name));
            keep()
        });
    }
    stage.cast("change", |_, _, _, cx| {
        cx.timeout("a", ms(10), note("a restarted"));
        cx.update_timeout("b", note("b updated"));
        keep()
    });
    stage.log.take();
    stage.until(10);
    assert_log(&stage, &["A:b updated", "A:c", "A:a restarted"]);
}

#[test]
fn r53_starting_a_running_timeout_replaces_time_and_event() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout("g", ms(10), note("old"));
        keep()
    });
    stage.cast("restart", |_, _, _, cx| {
        cx.timeout("g", ms(30), note("new"));
        keep()
    });
    assert_eq!(stage.pending(), [("new", Some(30))]);
}

#[test]
fn r56_of_several_requests_for_a_timeout_the_last_one_counts() {
    let mut stage = Stage::new();
    stage.cast("cancelled", |_, _, _, cx| {
        cx.timeout("g", ms(20), note("never"));
        cx.cancel_timeout("g");
        keep()
    });
    assert!(stage.pending().is_empty());
    stage.cast("started", |_, _, _, cx| {
        cx.cancel_timeout("g");
        cx.timeout("g", ms(20), note("g"));
        keep()
    });
    assert_eq!(stage.pending(), [("g", Some(20))]);
}

#[test]
fn r57_r59_a_change_of_state_cancels_the_state_timeout_alone() {
    let mut stage = Stage::new();
    let start = |_: &mut _, cx: &mut statem::Actions<_>| {
        cx.state_timeout(ms(10), note("state"));
        cx.timeout("g", ms(10), note("g"));
    };
    stage.cast("start", move |mut state, _, _, cx| {
        start(state.luggage(), cx);
        keep()
    });
    stage.cast("keep", |_, _, _, _| keep());
    stage.cast("repeat", |_, _, _, _| repeat());
    assert_eq!(stage.pending().len(), 2);
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(stage.pending(), [("g", Some(10))]);
}

#[test]
fn r60_any_event_cancels_the_event_timeout_also_one_that_is_postponed() {
    for (name, plan) in [("kept", note("m")), ("postponed", not_in_a("m"))] {
        let mut stage = Stage::new();
        stage.cast("start", |_, _, _, cx| {
            cx.event_timeout(ms(10), note("silence"));
            keep()
        });
        assert_eq!(stage.pending().len(), 1);
        stage.send(plan);
        assert!(stage.pending().is_empty(), "{name}");
    }
}

#[test]
fn r60_r7_an_enter_call_is_no_event() {
    let mut stage = Stage::new();
    stage.cast("go", |state, _, _, cx| {
        cx.event_timeout(ms(30), note("silence"));
        state.go(B::default())
    });
    stage.until(30);
    assert_log(&stage, &["A:go", "B:enter(A)", "B:silence"]);
}

#[test]
fn r61_update_of_the_event_timeout_finds_nothing_running() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.event_timeout(ms(30), note("old"));
        keep()
    });
    stage.cast("update", |_, _, _, cx| {
        cx.update_event_timeout(note("at once"));
        keep()
    });
    assert_log(&stage, &["A:start", "A:update", "A:at once"]);
}

#[test]
fn r61_update_of_the_state_timeout_in_a_change_of_state_finds_nothing_running() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(30), note("old"));
        keep()
    });
    stage.cast("go", |state, _, _, cx| {
        cx.update_state_timeout(note("at once"));
        state.go(B::default())
    });
    assert_log(&stage, &["A:start", "A:go", "B:enter(A)", "B:at once"]);
}

#[test]
fn r62_r63_an_update_keeps_the_deadline_or_comes_at_once() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout("g", ms(30), note("old"));
        keep()
    });
    stage.now.set(ms(20));
    stage.cast("update", |_, _, _, cx| {
        cx.update_timeout("g", note("new"));
        cx.update_timeout("idle", note("at once"));
        keep()
    });
    stage.until(30);
    assert_log(&stage, &["A:start", "A:update", "A:at once", "A:new"]);
}

#[test]
fn r65_an_expiry_that_was_overtaken_by_a_cancel_or_a_restart_is_never_delivered() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(10), note("never"));
        cx.timeout("g", ms(10), note("never"));
        cx.timeout("h", ms(10), note("never"));
        keep()
    });
    let now = stage.now.clone();
    stage.cast("slow", move |_, _, _, cx| {
        now.set(ms(40));
        cx.cancel_state_timeout();
        cx.cancel_timeout("g");
        cx.timeout("h", ms(20), note("h2"));
        keep()
    });
    assert!(!stage.engine.fire(ms(40)));
    stage.until(100);
    assert_log(&stage, &["A:start", "A:slow", "A:h2"]);
}

#[test]
fn r65_an_expired_state_timeout_is_gone_after_a_change_of_state() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(10), note("never"));
        cx.timeout("g", ms(10), note("g"));
        keep()
    });
    let now = stage.now.clone();
    stage.cast("slow", move |state, _, _, _| {
        now.set(ms(40));
        state.go(B::default())
    });
    stage.until(40);
    assert_log(&stage, &["A:start", "A:slow", "B:enter(A)", "B:g"]);
}

#[test]
fn r66_a_message_handled_first_drops_an_event_timeout_that_has_expired() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.event_timeout(ms(10), note("silence"));
        keep()
    });
    stage.now.set(ms(40));
    stage.send(note("m"));
    stage.until(100);
    assert_log(&stage, &["A:start", "A:m"]);
}

#[test]
fn r67_r15_zero_timeouts_come_after_the_queue_and_before_any_message() {
    let mut stage = Stage::new();
    stage.handle(event("start", |_, _, _, cx| {
        cx.timeout("g", ms(0), note("zero"));
        cx.insert(note("inserted"));
        keep()
    }));
    assert!(stage.engine.has_queued());
    stage.settle();
    assert_log(&stage, &["A:start", "A:inserted", "A:zero"]);
}

#[test]
fn r68_zero_timeouts_keep_the_order_of_the_requests_that_count() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout("a", ms(0), note("a1"));
        cx.state_timeout(ms(0), note("state"));
        cx.timeout("a", ms(0), note("a9"));
        keep()
    });
    assert_log(&stage, &["A:start", "A:state", "A:a9"]);
}

#[test]
fn r69_a_waiting_zero_timeout_can_be_restarted_updated_and_cancelled() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        for (name, label) in [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")] {
            cx.timeout(name, ms(0), note(label));
        }
        cx.insert(event("change", |_, _, _, cx| {
            cx.timeout("a", ms(0), note("a at the back"));
            cx.update_timeout("b", note("b updated"));
            cx.cancel_timeout("c");
            cx.timeout("d", ms(20), note("d later"));
            keep()
        }));
        keep()
    });
    stage.until(20);
    assert_log(
        &stage,
        &[
            "A:start",
            "A:change",
            "A:b updated",
            "A:a at the back",
            "A:d later",
        ],
    );
}

#[test]
fn r70_a_waiting_zero_state_timeout_is_removed_by_a_change_of_state() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(0), note("never"));
        cx.insert(event("go", |state, _, _, _| state.go(B::default())));
        keep()
    });
    assert_log(&stage, &["A:start", "A:go", "B:enter(A)"]);
}

#[test]
fn r71_a_waiting_zero_event_timeout_is_removed_by_any_event_before_it() {
    for (event_first, expected) in [
        (false, &["A:start", "A:a"][..]),
        (true, &["A:start", "A:silence", "A:a"]),
    ] {
        let mut stage = Stage::new();
        stage.cast("start", move |_, _, _, cx| {
            if event_first {
                cx.event_timeout(ms(0), note("silence"));
            }
            cx.timeout("a", ms(0), note("a"));
            if !event_first {
                cx.event_timeout(ms(0), note("silence"));
            }
            keep()
        });
        assert_log(&stage, expected);
    }
}

#[test]
fn r16_r17_what_a_zero_timeout_inserts_and_retries_comes_before_the_next_one() {
    let mut stage = Stage::new();
    stage.send(not_in_a("p"));
    stage.cast("start", |_, _, _, cx| {
        cx.timeout(
            "1",
            ms(0),
            event("t1", |state, _, _, cx| {
                cx.insert(note("n"));
                cx.timeout("3", ms(0), note("t3"));
                state.go(B::default())
            }),
        );
        cx.timeout("2", ms(0), note("t2"));
        keep()
    });
    assert_log(
        &stage,
        &[
            "A:p",
            "A:start",
            "A:t1",
            "B:enter(A)",
            "B:n",
            "B:p",
            "B:t2",
            "B:t3",
        ],
    );
}

#[test]
fn r147_r148_absolute_times_are_points_on_the_machine_s_clock_and_past_ones_are_timers() {
    let mut stage = Stage::new();
    stage.now.set(ms(100));
    stage.handle(event("start", |_, _, _, cx| {
        cx.state_timeout_at(ms(130), note("state"));
        cx.event_timeout_at(ms(120), note("silence"));
        cx.timeout_at("past", ms(50), note("past"));
        cx.timeout_at("zero", ms(0), note("zero"));
        keep()
    }));
    assert!(
        !stage.engine.has_queued(),
        "a past absolute time is not a zero timeout"
    );
    assert_eq!(
        stage.pending(),
        [
            ("zero", Some(0)),
            ("past", Some(50)),
            ("silence", Some(120)),
            ("state", Some(130))
        ]
    );
    stage.send(note("waiting already"));
    stage.until(130);
    assert_log(
        &stage,
        &[
            "A:start",
            "A:waiting already",
            "A:zero",
            "A:past",
            "A:state",
        ],
    );
}

#[test]
fn r55_a_timeout_fires_once_and_may_be_started_again_by_its_own_event() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout(
            "g",
            ms(10),
            event("tick", |_, _, _, cx| {
                cx.timeout("g", ms(10), note("tock"));
                keep()
            }),
        );
        keep()
    });
    stage.until(100);
    assert_log(&stage, &["A:start", "A:tick", "A:tock"]);
    assert_eq!(stage.engine.deadline(), None);
}
