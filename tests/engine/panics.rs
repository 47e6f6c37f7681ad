//! A panic anywhere ends its machine, and it alone: the reason says where, replies given before it
//! are delivered, and every caller is told (N65, R94, R95).

use std::cell::RefCell;

use statem::{ExitReason, keep, postpone, stop};

use crate::scripted::{A, B, Luggage, Stage, event, forever, ms, note};
use crate::witness::Caller;

/// A machine with a caller in its state, one in its data and one postponed.
struct Audience {
    stage: Stage,
    callers: [Caller; 3],
}

impl Audience {
    fn new() -> Self {
        let mut stage = Stage::new();
        let in_state = stage.call_held("in state");
        let in_data = stage.call("in data", |_, event, scene, _| {
            scene.luggage.replies.push(event.reply());
            keep()
        });
        let postponed = stage.call("postponed", |_, event, _, _| postpone(event));
        Audience {
            stage,
            callers: [in_state, in_data, postponed],
        }
    }

    /// Asserts that the machine ended with this reason and that everybody was told; whoever `left`
    /// says was told something else before.
    #[track_caller]
    fn assert_told(mut self, reason: &str, left: [Option<&str>; 3]) {
        assert_eq!(self.stage.stopped(), reason);
        let begun = [true, true, false];
        for ((caller, begun), left) in self.callers.iter_mut().zip(begun).zip(left) {
            let told = left.map_or(format!("stopped: {reason}, begun: {begun}"), str::to_owned);
            assert_eq!(caller.outcome(), told);
        }
        assert!(
            self.stage
                .log
                .take()
                .iter()
                .any(|entry| entry.starts_with("terminate(")),
            "terminate was called"
        );
        self.stage.assert_counts();
    }
}

#[test]
fn n65_in_handle() {
    let mut audience = Audience::new();
    let mut own = audience.stage.call("boom", |mut state, _, _, _| {
        // Dropped while unwinding, as the call's own reply is.
        let _unwinds = state.luggage().replies.pop();
        panic!("boom")
    });
    let reason = "`boom` in handle, in A";
    assert_eq!(own.outcome(), format!("stopped: {reason}, begun: true"));
    audience.assert_told(reason, [None; 3]);
}

#[test]
fn n65_in_enter() {
    let mut audience = Audience::new();
    audience.stage.on_enter("B", |_, scene, _| {
        let _unwinds = scene.luggage.replies.pop();
        panic!("boom")
    });
    audience
        .stage
        .cast("go", |state, _, _, _| state.go(B::default()));
    // The caller in the old state is told with the transition, which was not completed.
    audience.assert_told("`boom` in enter, in B", [None; 3]);
}

#[test]
fn n65_in_init() {
    let mut stage = Stage::unstarted();
    stage.engine.start_with(|_, _| panic!("boom"), &|| ms(0));
    assert_eq!(stage.stopped(), "`boom` in init, in A");
    assert_eq!(stage.log.take(), ["terminate(`boom` in init, in A, A)"]);
}

#[test]
fn n65_in_the_first_enter_call() {
    let mut stage = Stage::unstarted();
    stage.on_enter("A", |_, _, _| panic!("boom"));
    stage.start();
    assert_eq!(stage.stopped(), "`boom` in enter, in A");
}

#[test]
fn n65_in_refused() {
    let mut stage = Stage::new();
    for _ in 0..statem::engine::POSTPONED {
        stage.cast("p", |_, event, _, _| postpone(event));
    }
    stage.on_refused(|| panic!("boom"));
    stage.cast("one more", |_, event, _, _| postpone(event));
    assert_eq!(stage.stopped(), "`boom` in refused, in A");
    stage.assert_counts();
}

#[test]
fn n65_r95_in_terminate_it_replaces_the_reason() {
    let mut audience = Audience::new();
    audience.stage.on_terminate(|_, _, luggage| {
        let _unwinds = luggage.replies.pop();
        panic!("boom")
    });
    audience.stage.engine.stop(ExitReason::Shutdown);
    // The reply that unwound was dropped while the machine ended for its first reason.
    let first = "stopped: shutdown, begun: true";
    audience.assert_told("`boom` in terminate, in A", [None, Some(first), None]);
}

#[test]
fn n65_in_the_closure_of_go_with() {
    let mut audience = Audience::new();
    audience.stage.cast("go", |state, _, _, _| {
        state.a().go_with(|_| -> B { panic!("boom") })
    });
    audience.assert_told("`boom` in handle, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_the_old_state() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("a")));
    audience.stage.cast("arm", move |mut state, _, _, _| {
        state.luggage().noise.extend(bomb.take());
        keep()
    });
    audience.stage.log.take();
    let mut given = audience.stage.call("go", |state, event, _, _| {
        event.reply().send(1).expect("the caller waits");
        state.go(B::default())
    });
    assert_eq!(given.outcome(), "1", "what was given before is delivered");
    let reason = "`a panics` in the drop of a state, in B";
    let log = audience.stage.log.take();
    assert!(!log.contains(&"B:enter(A)".to_owned()), "{log:?}");
    audience.stage.log.add(
        log.iter()
            .find(|entry| entry.starts_with("terminate"))
            .expect("terminate was called"),
    );
    audience.assert_told(reason, [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_state_scoped_source() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("k")));
    audience.stage.cast("arm", move |_, _, _, cx| {
        cx.state_task(forever(bomb.take().expect("once")), |()| note("never"));
        keep()
    });
    audience
        .stage
        .cast("go", |state, _, _, _| state.go(B::default()));
    audience.assert_told("`k panics` in the drop of a source, in B", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_guarded_source() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("k")));
    audience.stage.cast("arm", move |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.task(forever(bomb.take().expect("once")), |()| note("never")));
        keep()
    });
    audience.stage.cast("drop", |_, _, scene, _| {
        scene.luggage.guards.clear();
        keep()
    });
    audience.assert_told("`k panics` in the drop of a source, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_source_that_ended_by_itself() {
    struct Once {
        _bomb: Option<crate::witness::Noise>,
    }
    impl statem::Source<crate::scripted::Event> for Once {
        fn poll_event(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<crate::scripted::Event>> {
            std::task::Poll::Ready(None)
        }
    }
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("k")));
    audience.stage.cast("arm", move |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.source(Once { _bomb: bomb.take() }, 1));
        keep()
    });
    audience.stage.poll_all();
    audience.assert_told("`k panics` in the drop of a source, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_cancelled_timeout_s_event() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("timeout")));
    audience.stage.cast("arm", move |_, _, _, cx| {
        cx.timeout("g", ms(10), note("never").noisy(bomb.take().expect("once")));
        keep()
    });
    audience.stage.cast("cancel", |_, _, _, cx| {
        cx.cancel_timeout("g");
        keep()
    });
    audience.assert_told("`timeout panics` in the drop of an event, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_the_event_timeout_s_event() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("silence")));
    audience.stage.cast("arm", move |_, _, _, cx| {
        cx.event_timeout(ms(10), note("never").noisy(bomb.take().expect("once")));
        keep()
    });
    audience.stage.cast("m", |_, _, _, _| keep());
    audience.assert_told("`silence panics` in the drop of an event, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_an_unexpected_event() {
    let mut audience = Audience::new();
    let bomb = audience.stage.log.bomb("event");
    audience
        .stage
        .send(event("m", |_, event, _, _| statem::unexpected(event)).noisy(bomb));
    audience.assert_told("`event panics` in the drop of an event, in A", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_discarded_output() {
    let mut audience = Audience::new();
    let log = audience.stage.log.clone();
    audience.stage.cast("arm", move |_, _, _, cx| {
        let log = log.clone();
        cx.state_task(std::future::ready(()), move |()| {
            event("f", |_, event, _, _| postpone(event)).noisy(log.bomb("output"))
        });
        keep()
    });
    audience.stage.poll_all();
    audience
        .stage
        .cast("go", |state, _, _, _| state.go(B::default()));
    audience.assert_told("`output panics` in the drop of an event, in B", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_an_abandoned_call() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("call")));
    let gone = audience.stage.call("gone", move |_, event, _, _| {
        postpone(match bomb.take() {
            Some(bomb) => event.noisy(bomb),
            None => event,
        })
    });
    gone.hang_up();
    audience.stage.cast("go", |state, _, _, _| {
        state.a().go_with(|old: A| {
            B(Luggage {
                replies: old.0.replies,
                ..Luggage::default()
            })
        })
    });
    // The postponed call was retried before, and is postponed again.
    audience.assert_told("`call panics` in the drop of an event, in B", [None; 3]);
}

#[test]
fn n65_in_the_drop_of_a_next_that_was_kept() {
    let mut audience = Audience::new();
    let bomb = RefCell::new(Some(audience.stage.log.bomb("b")));
    audience.stage.cast("keep it", move |state, _, scene, _| {
        scene.kept = Some(state.go(B(Luggage {
            noise: bomb.take().into_iter().collect(),
            ..Luggage::default()
        })));
        keep()
    });
    audience.stage.cast("return it", |_, _, scene, _| {
        scene.kept.take().expect("it was kept")
    });
    audience.assert_told("`b panics` in the drop of a state, in A", [None; 3]);
}

#[test]
fn n65_in_any_drop_while_the_machine_ends_the_first_reason_stands_and_the_end_goes_on() {
    let mut audience = Audience::new();
    let log = audience.stage.log.clone();
    audience.stage.cast("arm", move |mut state, _, scene, cx| {
        state.luggage().noise.push(log.bomb("state"));
        scene.luggage.noise.push(log.bomb("data"));
        for name in ["k1", "k2"] {
            cx.state_task(forever(log.bomb(name)), |()| note("never"));
        }
        cx.timeout("g", ms(10), note("never").noisy(log.bomb("timer")));
        keep()
    });
    let bomb = audience.stage.log.bomb("postponed");
    audience
        .stage
        .send(event("p", |_, event, _, _| postpone(event)).noisy(bomb));
    let unstarted = RefCell::new(Some(audience.stage.log.bomb("unstarted")));
    audience.stage.log.take();
    audience.stage.cast("stop", move |_, _, _, cx| {
        cx.insert(note("never").noisy(unstarted.take().expect("once")));
        stop(ExitReason::Shutdown)
    });
    let log = audience.stage.log.take();
    let dropped: Vec<_> = log
        .iter()
        .filter_map(|entry| entry.strip_prefix("drop "))
        .collect();
    assert_eq!(
        dropped,
        [
            "k2",
            "k1",
            "state",
            "postponed",
            "timer",
            "unstarted",
            "data"
        ]
    );
    audience.stage.log.add("terminate(");
    audience.assert_told("shutdown", [None; 3]);
}

#[test]
fn n65_the_message_of_a_panic_is_told_whatever_its_type() {
    for (payload, message) in [(0, "text"), (1, "text 7"), (2, "a panic without a message")] {
        let mut stage = Stage::new();
        stage.cast("boom", move |_, _, _, _| match payload {
            0 => panic!("text"),
            1 => panic!("text {}", payload + 6),
            _ => std::panic::panic_any(7),
        });
        assert_eq!(stage.stopped(), format!("`{message}` in handle, in A"));
    }
}
