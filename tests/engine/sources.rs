//! Tasks and streams beside the machine, polled by hand: who owns them, and that nothing comes
//! after their drop (N27, N35–N39, N41).

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use statem::{Guard, SourceId, keep, postpone};

use crate::scripted::{
    A, B, Event, Luggage, Stage, assert_log, event, forever, ms, not_in_a, note,
};
use crate::witness::Noise;

/// A machine with a task of its state, whose output is postponed in A, and the number of the task.
fn with_state_task(output: fn() -> Event) -> (Stage, SourceId) {
    let mut stage = Stage::new();
    stage.cast("start", move |_, _, _, cx| {
        cx.state_task(std::future::ready(()), move |()| output());
        keep()
    });
    let id = stage.engine.take_started()[0];
    stage.log.take();
    (stage, id)
}

fn go(stage: &mut Stage) {
    stage.cast("go", |state, _, _, _| state.go(B::default()));
}

#[test]
fn n27_of_two_ready_sources_the_second_gives_nothing_when_the_first_one_s_event_leaves_the_state() {
    let mut stage = Stage::new();
    let noises = RefCell::new(vec![stage.log.noise("k2"), stage.log.noise("k1")]);
    stage.cast("start", move |_, _, _, cx| {
        for _ in 0..2 {
            let noise = noises.borrow_mut().pop().expect("two sources");
            let ready = async move { drop_later(noise) };
            cx.state_task(ready, |noise| {
                event("x", |state, _, _, _| state.go(B::default())).noisy(noise)
            });
        }
        keep()
    });
    let ids = stage.engine.take_started();
    stage.log.take();
    for id in ids {
        stage.poll(id);
    }
    assert_log(&stage, &["A:x", "drop k1", "drop k2", "B:enter(A)"]);
    assert_eq!(
        stage.engine.counts().discarded,
        0,
        "the second output never existed"
    );
}

fn drop_later(noise: Noise) -> Noise {
    noise
}

#[test]
fn n35_a_guard_moves_on_with_its_state_and_ends_with_what_holds_it() {
    let mut stage = Stage::new();
    let noise = RefCell::new(Some(stage.log.noise("k")));
    stage.cast("start", move |mut state, _, _, cx| {
        let guard = cx.task(forever(noise.take().expect("it starts once")), |()| {
            note("never")
        });
        state.luggage().guards.push(guard);
        keep()
    });
    stage.cast("go", |state, _, _, _| {
        state.a().go_with(|old: A| {
            B(Luggage {
                guards: old.0.guards,
                ..Luggage::default()
            })
        })
    });
    assert_log(&stage, &["A:start", "A:go", "B:enter(A)"]);
    stage.cast("back", |state, _, _, _| state.go(A::default()));
    assert_log(&stage, &["B:back", "drop k", "A:enter(B)"]);
}

#[test]
fn n35_take_leaves_an_inert_guard_and_the_source_goes_on() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        let mut guard = cx.task(std::future::ready(()), |()| note("output"));
        scene.luggage.guards.push(guard.take());
        assert_eq!(guard.id(), None);
        keep()
    });
    stage.poll_all();
    assert_log(&stage, &["A:start", "A:output"]);
}

#[test]
fn n35_a_guard_is_send() {
    fn is_send<T: Send>() {}
    is_send::<Guard>();
    is_send::<statem::Timer>();
}

#[test]
fn n36_a_source_that_was_never_polled_gives_nothing_after_its_state_was_left() {
    let (mut stage, id) = with_state_task(|| note("never"));
    go(&mut stage);
    assert!(!stage.poll(id));
    assert_log(&stage, &["A:go", "B:enter(A)"]);
}

#[test]
fn n36_an_output_that_waits_in_the_queue_is_discarded() {
    let (mut stage, id) = with_state_task(|| not_in_a("f"));
    stage.poll(id);
    // Back in the queue, behind an inserted event that leaves the state again.
    let once = std::cell::Cell::new(true);
    stage.cast("again", move |_, _, _, cx| {
        if once.take() {
            cx.insert(event("leave", |state, _, _, _| state.go(B::default())));
        }
        statem::keep_and_retry()
    });
    assert_log(&stage, &["A:f", "A:again", "A:leave", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n36_a_postponed_output_is_discarded_with_its_state() {
    let (mut stage, id) = with_state_task(|| not_in_a("f"));
    stage.poll(id);
    assert_eq!(stage.postponed(), ["f"]);
    go(&mut stage);
    assert_log(&stage, &["A:f", "A:go", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n36_an_output_postponed_in_the_transition_that_leaves_its_state_is_discarded() {
    let (mut stage, id) = with_state_task(|| {
        event("f", |state, event, _, cx| {
            cx.postpone(event);
            state.go(B::default())
        })
    });
    stage.poll(id);
    assert_log(&stage, &["A:f", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n36_an_output_postponed_in_the_handler_that_drops_its_guard_is_discarded() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.task(std::future::ready(()), |()| {
                event("f", |_, event, scene, _| {
                    scene.luggage.guards.clear();
                    postpone(event)
                })
            }));
        keep()
    });
    stage.poll_all();
    go(&mut stage);
    assert_log(&stage, &["A:start", "A:f", "A:go", "B:enter(A)"]);
    stage.assert_counts();
}

#[test]
fn n36_a_postponed_output_is_handled_if_its_guard_was_moved_on() {
    let mut stage = Stage::new();
    stage.cast("start", |mut state, _, _, cx| {
        let guard = cx.task(std::future::ready(()), |()| not_in_a("f"));
        state.luggage().guards.push(guard);
        keep()
    });
    stage.poll_all();
    stage.cast("go", |mut state, _, _, _| {
        let guard = state.luggage().guards[0].take();
        state.go(B(Luggage {
            guards: vec![guard],
            ..Luggage::default()
        }))
    });
    assert_log(&stage, &["A:start", "A:f", "A:go", "B:enter(A)", "B:f"]);
}

#[test]
fn n36_an_output_whose_guard_was_dropped_while_it_was_produced_is_discarded() {
    let mut stage = Stage::new();
    let (give, take) = std::sync::mpsc::channel();
    stage.cast("start", move |_, _, _, cx| {
        give.send(cx.task(std::future::ready(()), |()| note("never")))
            .expect("the test waits");
        keep()
    });
    let id = stage.running()[0];
    let source = stage.engine.source(id).expect("it runs");
    let Poll::Ready(Some(output)) = source.poll_event(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the task is ready");
    };
    drop(take.recv().expect("a guard"));
    stage.engine.output(id, output, &|| ms(0));
    assert_log(&stage, &["A:start"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n37_a_future_whose_guard_is_dropped_in_a_handler_is_dropped_by_the_engine_after_it() {
    let mut stage = Stage::new();
    let noise = RefCell::new(Some(stage.log.noise("k")));
    stage.cast("start", move |_, _, scene, cx| {
        scene.luggage.guards.push(
            cx.task(forever(noise.take().expect("it starts once")), |()| {
                note("never")
            }),
        );
        keep()
    });
    let log = stage.log.clone();
    stage.cast("drop", move |_, _, scene, _| {
        scene.luggage.guards.clear();
        log.add("handler ends");
        keep()
    });
    assert_log(&stage, &["A:start", "A:drop", "handler ends", "drop k"]);
}

#[test]
fn n37_a_guard_dropped_on_another_thread_ends_its_source_with_the_next_transition() {
    let mut stage = Stage::new();
    let (give, take) = std::sync::mpsc::channel();
    let noise = RefCell::new(Some(stage.log.noise("k")));
    stage.cast("start", move |_, _, _, cx| {
        let guard = cx.task(forever(noise.take().expect("it starts once")), |()| {
            note("never")
        });
        give.send(guard).expect("the test waits");
        keep()
    });
    let guard: Guard = take.recv().expect("a guard");
    let id = guard.id().expect("it runs");
    std::thread::spawn(move || drop(guard))
        .join()
        .expect("the drop does not panic");
    assert!(
        stage.engine.source(id).is_none(),
        "it is not polled any more"
    );
    stage.send(note("m"));
    assert_log(&stage, &["A:start", "drop k", "A:m"]);
}

#[test]
fn n37_a_guard_dropped_in_the_transition_that_asked_for_it_never_starts_its_source() {
    let mut stage = Stage::new();
    let noise = RefCell::new(Some(stage.log.noise("k")));
    stage.cast("start", move |_, _, _, cx| {
        drop(
            cx.task(forever(noise.take().expect("it starts once")), |()| {
                note("never")
            }),
        );
        keep()
    });
    assert_log(&stage, &["A:start", "drop k"]);
    assert!(stage.engine.take_started().is_empty());
}

#[test]
fn n38_a_task_ends_after_its_output_which_stays_valid() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.task(std::future::ready(()), |()| not_in_a("f")));
        keep()
    });
    let id = stage.running()[0];
    stage.poll(id);
    stage.engine.source_ended(id);
    assert!(stage.running().is_empty());
    go(&mut stage);
    assert_log(&stage, &["A:start", "A:f", "A:go", "B:enter(A)", "B:f"]);
    stage.cast("drop", |_, _, scene, _| {
        scene.luggage.guards.clear();
        keep()
    });
    assert_eq!(stage.engine.counts().discarded, 0);
}

#[test]
fn n38_the_guard_of_an_ended_source_still_discards_its_outputs() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.task(std::future::ready(()), |()| not_in_a("f")));
        keep()
    });
    let id = stage.running()[0];
    stage.poll(id);
    stage.engine.source_ended(id);
    stage.cast("drop", |_, _, scene, _| {
        scene.luggage.guards.clear();
        keep()
    });
    go(&mut stage);
    assert_log(&stage, &["A:start", "A:f", "A:drop", "A:go", "B:enter(A)"]);
    assert_eq!(stage.engine.counts().discarded, 1);
    stage.assert_counts();
}

#[test]
fn n39_a_panic_while_polling_a_source_is_a_panic_of_the_machine() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    stage.cast("start", |_, _, _, cx| {
        cx.state_task(async { panic!("bad frame") }, |()| note("never"));
        keep()
    });
    let id = stage.running()[0];
    let source = stage.engine.source(id).expect("it runs");
    let polled = AssertUnwindSafe(|| {
        source
            .poll_event(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    });
    let payload = catch_unwind(polled).expect_err("it panics");
    stage.engine.source_panicked(id, &*payload);
    let stopped = stage.stopped();
    assert!(
        stopped.starts_with("`bad frame` in engine::sources::") && stopped.ends_with(", in A"),
        "{stopped}"
    );
    assert_eq!(caller.outcome(), format!("stopped: {stopped}, begun: true"));
}

#[test]
fn n37_sources_that_go_in_any_order_leave_the_others_in_theirs() {
    let count = 64;
    let mut stage = Stage::new();
    stage.cast("start", move |_, _, scene, cx| {
        for place in 0..count {
            if place % 4 == 3 {
                cx.state_task(std::future::pending::<()>(), |()| note("never"));
            } else {
                let task = cx.task(std::future::pending::<()>(), |()| note("never"));
                scene.luggage.guards.push(task);
            }
        }
        keep()
    });
    let mut left = stage.engine.take_started();
    assert_eq!(left.len(), count);
    let guarded: Vec<_> = left
        .iter()
        .copied()
        .enumerate()
        .filter(|(place, _)| place % 4 != 3)
        .map(|(_, id)| id)
        .collect();
    for step in 0..guarded.len() {
        // Every place once, far from the one before.
        let id = guarded[step * 7 % guarded.len()];
        stage.cast("drop", move |_, _, scene, _| {
            scene.luggage.guards.retain(|guard| guard.id() != Some(id));
            keep()
        });
        left.retain(|running| *running != id);
        assert_eq!(stage.running(), left);
        if step == guarded.len() / 2 {
            go(&mut stage);
            left.retain(|running| guarded.contains(running));
            assert_eq!(stage.running(), left);
        }
    }
    assert!(left.is_empty());
}

#[test]
fn n41_sources_are_started_in_the_order_they_were_asked_for() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.state_task(std::future::ready(()), |()| note("first"));
        cx.state_task(std::future::ready(()), |()| note("second"));
        keep()
    });
    for id in stage.engine.take_started() {
        stage.poll(id);
    }
    assert_log(&stage, &["A:start", "A:first", "A:second"]);
}

#[test]
fn n37_all_guards_dropped_in_a_handler_end_their_sources() {
    let mut stage = Stage::new();
    let noises = RefCell::new(vec![stage.log.noise("k2"), stage.log.noise("k1")]);
    stage.cast("start", move |_, _, scene, cx| {
        for noise in noises.take() {
            let guard = cx.task(forever(noise), |()| note("never"));
            scene.luggage.guards.push(guard);
        }
        keep()
    });
    stage.log.take();
    stage.cast("drop", |_, _, scene, _| {
        scene.luggage.guards.clear();
        keep()
    });
    let mut log = stage.log.take();
    log.sort();
    assert_eq!(log, ["A:drop", "drop k1", "drop k2"]);
    assert!(stage.running().is_empty());
}

#[test]
fn n20_a_flush_asked_for_in_a_transition_wakes_nobody_and_one_from_outside_its_source() {
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut stage = Stage::new();
    stage.cast("start", |_, _, scene, cx| {
        let guard = cx.task(std::future::pending::<()>(), |()| note("never"));
        scene.luggage.guards.push(guard);
        keep()
    });
    let id = stage.running()[0];
    let woken = Arc::new(Woken(0.into()));
    let count = || woken.0.load(Ordering::Relaxed);
    stage.engine.set_waker(id, Waker::from(woken.clone()));
    let from_outside = |stage: &mut Stage| {
        let scene = stage.engine.data_mut().expect("the machine runs");
        scene.luggage.guards[0].flush();
    };
    // No transition has begun since the source was started.
    from_outside(&mut stage);
    assert_eq!(count(), 1);
    assert_eq!(stage.engine.next_flush(), Some(id));
    assert!(stage.engine.flushable(id).is_some());

    stage.cast("flush", |_, _, scene, _| {
        scene.luggage.guards[0].flush();
        scene.luggage.guards[0].flush();
        keep()
    });
    assert_eq!(count(), 1);
    assert_eq!(stage.engine.next_flush(), Some(id));
    assert_eq!(stage.engine.next_flush(), None, "it is asked for once");
    assert!(stage.engine.flushable(id).is_some());

    from_outside(&mut stage);
    assert_eq!(count(), 2);
}

#[test]
fn n39_the_reason_of_a_panic_names_the_stream_or_the_source() {
    struct Wire;
    impl Stream for Wire {
        type Item = ();
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
            Poll::Pending
        }
    }
    impl statem::Source<Event> for Wire {
        fn poll_event(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Event>> {
            Poll::Pending
        }
    }
    for is_stream in [false, true] {
        let mut stage = Stage::new();
        stage.cast("start", move |_, _, scene, cx| {
            scene.luggage.guards.push(if is_stream {
                cx.stream(Wire, |_| note("never"))
            } else {
                cx.source(Wire, 1)
            });
            keep()
        });
        let id = stage.running()[0];
        stage.engine.source_panicked(id, &"broken");
        let stopped = stage.stopped();
        assert!(
            stopped.contains("`broken` in ") && stopped.contains("Wire, in A"),
            "{stopped}"
        );
    }
}
