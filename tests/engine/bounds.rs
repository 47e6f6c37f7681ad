//! What is bounded, what happens at the bound, and that every event is accounted for (N30, N31,
//! N45–N48).

use std::cell::Cell;
use std::rc::Rc;

use statem::engine::{INSERTED, POSTPONED};
use statem::{keep, postpone};

use crate::scripted::{B, Event, Stage, assert_log, event, ms, note};
use crate::witness::Caller;

/// An event that inserts itself again, for ever.
fn endless() -> Event {
    event("n", |_, event, _, cx| {
        cx.insert(event);
        keep()
    })
}

#[test]
fn n30_a_chain_without_an_end_hands_back_after_every_event() {
    let mut stage = Stage::new();
    stage.handle(endless());
    for handled in 1..=1000 {
        assert!(stage.engine.has_queued());
        assert_eq!(stage.engine.counts().handled, handled);
        assert!(stage.engine.advance(&|| ms(0)));
    }
    stage.engine.stop(statem::ExitReason::Shutdown);
    assert!(!stage.engine.advance(&|| ms(0)));
    assert_eq!(stage.stopped(), "shutdown");
    stage.assert_counts();
}

#[test]
fn n31_more_inserted_events_than_the_bound_end_the_machine() {
    for (inserted, ends) in [(INSERTED, ""), (INSERTED + 1, "overflow: Inserted")] {
        let mut stage = Stage::new();
        let mut caller = stage.call_held("c");
        stage.cast("insert", move |_, _, _, cx| {
            for _ in 0..inserted {
                cx.insert(note("n"));
            }
            keep()
        });
        assert_eq!(stage.stopped(), ends);
        stage.assert_counts();
        if !ends.is_empty() {
            assert_eq!(caller.outcome(), "stopped: overflow: Inserted, begun: true");
        }
    }
}

#[test]
fn n31_a_postponed_event_that_was_inserted_does_not_count_as_inserted_again() {
    let mut stage = Stage::new();
    for _ in 0..INSERTED {
        stage.cast("insert", |_, _, _, cx| {
            cx.insert(crate::scripted::not_in_a("n"));
            keep()
        });
    }
    stage.cast("go", |state, _, _, cx| {
        cx.insert(note("one more"));
        state.go(B::default())
    });
    assert_eq!(stage.stopped(), "");
    stage.assert_counts();
}

/// A machine whose postponed queue is full of calls that are waited for.
fn full() -> (Stage, Vec<Caller>) {
    let mut stage = Stage::new();
    let wait = |stage: &mut Stage| {
        stage.call("p", |state, event, _, _| {
            if state.name() == "A" {
                postpone(event)
            } else {
                keep()
            }
        })
    };
    let callers = (0..POSTPONED).map(|_| wait(&mut stage)).collect();
    stage.log.take();
    (stage, callers)
}

#[test]
fn n45_a_call_that_finds_no_room_to_be_postponed_is_refused() {
    let (mut stage, _callers) = full();
    let mut refused = stage.call("c", |_, event, _, _| postpone(event));
    assert_eq!(refused.outcome(), "full: Postponed");
    assert_eq!(stage.engine.counts().refused, 1);
    assert_eq!(stage.engine.postponed().count(), POSTPONED);
    stage.assert_counts();
}

#[test]
fn n45_a_refused_cast_goes_to_refused_and_its_transition_is_carried_out() {
    let (mut stage, _callers) = full();
    stage.cast("m", |_, event, _, cx| {
        cx.insert(note("inserted"));
        postpone(event)
    });
    assert_log(&stage, &["A:m", "refused m", "A:inserted"]);
    stage.assert_counts();
}

#[test]
fn n45_an_event_of_the_machine_s_own_that_finds_no_room_ends_it() {
    type Start = fn(&mut Stage);
    let starts: [(&str, Start); 4] = [
        ("inserted", |stage| {
            stage.cast("start", |_, _, _, cx| {
                cx.insert(event("own", |_, event, _, _| postpone(event)));
                keep()
            });
        }),
        ("timeout", |stage| {
            stage.cast("start", |_, _, _, cx| {
                cx.state_timeout(ms(10), event("own", |_, event, _, _| postpone(event)));
                keep()
            });
            stage.until(10);
        }),
        ("timer", |stage| {
            stage.cast("start", |_, _, scene, cx| {
                let timer = cx.timer(ms(10), event("own", |_, event, _, _| postpone(event)));
                scene.luggage.timers.push(timer);
                keep()
            });
            stage.until(10);
        }),
        ("source", |stage| {
            stage.cast("start", |_, _, _, cx| {
                let output = |()| event("own", |_, event, _, _| postpone(event));
                cx.state_task(std::future::ready(()), output);
                keep()
            });
            stage.poll_all();
        }),
    ];
    for (origin, start) in starts {
        let (mut stage, mut callers) = full();
        start(&mut stage);
        assert_eq!(stage.stopped(), "overflow: Postponed", "{origin}");
        assert_eq!(
            callers[0].outcome(),
            "stopped: overflow: Postponed, begun: false"
        );
        stage.assert_counts();
    }
}

#[test]
fn n45_a_call_postponed_with_a_change_of_state_has_always_room() {
    let (mut stage, _callers) = full();
    let mut accepted = stage.call("c", |state, event, _, cx| {
        if state.name() == "B" {
            event.reply().send(1).expect("the caller waits");
            return keep();
        }
        cx.postpone(event);
        state.go(B::default())
    });
    assert_eq!(accepted.outcome(), "1");
    let log = stage.log.take();
    assert_eq!(log.last().map(String::as_str), Some("c told"));
    assert_eq!(stage.engine.counts().refused, 0);
    stage.assert_counts();
}

#[test]
fn n53_n45_postponed_calls_whose_callers_have_gone_make_room() {
    let (mut stage, mut callers) = full();
    callers.pop().expect("a caller").hang_up();
    callers.remove(0).hang_up();
    let mut accepted = stage.call("c", |_, event, _, _| postpone(event));
    assert_eq!(accepted.outcome(), "");
    assert_eq!(stage.engine.counts().abandoned, 2);
    assert_eq!(stage.engine.postponed().count(), POSTPONED - 1);
    stage.assert_counts();
}

#[test]
fn n53_n45_a_caller_that_goes_after_another_was_refused_makes_room() {
    let (mut stage, mut callers) = full();
    for abandoned in 1..=3 {
        let mut refused = stage.call("c", |_, event, _, _| postpone(event));
        assert_eq!(refused.outcome(), "full: Postponed");
        callers.remove(POSTPONED / 2).hang_up();
        let accepted = stage.call("c", |_, event, _, _| postpone(event));
        callers.push(accepted);
        assert_eq!(stage.engine.counts().abandoned, abandoned);
    }
    // What was postponed since then has callers that can go, too.
    callers.pop().expect("a caller").hang_up();
    let mut accepted = stage.call("last", |_, event, _, _| postpone(event));
    assert_eq!(accepted.outcome(), "");
    assert_eq!(stage.postponed().last(), Some(&"last"));
    stage.assert_counts();
}

#[test]
fn n53_n65_abandoned_calls_whose_drop_panics_are_dropped_one_by_one() {
    let (mut stage, _callers) = full();
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    let gone: Vec<_> = (0..POSTPONED)
        .map(|place| {
            let bomb = (place < 2).then(|| stage.log.bomb("bomb"));
            let bomb = Cell::new(bomb);
            stage.call("p", move |_, event, _, _| match bomb.take() {
                Some(bomb) => postpone(event.noisy(bomb)),
                None => postpone(event),
            })
        })
        .collect();
    gone.into_iter().for_each(Caller::hang_up);
    stage.log.take();
    stage.cast("c", |_, event, _, _| postpone(event));
    assert_eq!(
        stage.stopped(),
        "`bomb panics` in the drop of an event, in B"
    );
    assert_eq!(stage.log.take()[..3], ["B:c", "drop bomb", "drop bomb"]);
}

#[test]
fn n46_a_full_postponed_queue_takes_no_room_from_what_would_release_it() {
    let (mut stage, _callers) = full();
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(stage.engine.postponed().count(), 0);
    stage.assert_counts();
}

#[test]
fn n47_each_change_of_state_retries_all_that_is_postponed() {
    let mut stage = Stage::new();
    let offered = Rc::new(Cell::new(0));
    for _ in 0..100 {
        let offered = offered.clone();
        stage.send(event("p", move |_, event, _, _| {
            offered.set(offered.get() + 1);
            postpone(event)
        }));
    }
    for target in 0..10 {
        stage.cast("go", move |state, _, _, _| {
            if target % 2 == 0 {
                state.go(B::default())
            } else {
                state.go(crate::scripted::A::default())
            }
        });
    }
    assert_eq!(offered.get(), 1100);
    assert_eq!(stage.postponed().len(), 100);
}

#[test]
fn n48_every_event_is_received_once_and_accounted_for() {
    let mut stage = Stage::new();
    let once = Cell::new(true);
    stage.send(event("p", move |_, event, _, _| {
        if once.take() { postpone(event) } else { keep() }
    }));
    stage.cast("start", |_, _, _, cx| {
        cx.state_timeout(ms(10), note("timeout"));
        cx.timeout("g", ms(0), note("zero"));
        cx.insert(note("inserted"));
        keep()
    });
    stage.cast("unexpected", |_, event, _, _| statem::unexpected(event));
    stage.until(10);
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    let counts = stage.engine.counts();
    assert_eq!(
        (counts.received, counts.handled, counts.consumed),
        (7, 8, 7)
    );
    assert_eq!((counts.postponed, counts.unexpected), (1, 1));
    stage.assert_counts();
}

#[test]
fn n48_events_that_wait_when_the_machine_ends_are_counted() {
    let mut stage = Stage::new();
    stage.send(crate::scripted::not_in_a("p"));
    stage.cast("end", |_, _, _, cx| {
        cx.insert(event("stop", |_, _, _, _| {
            statem::stop(statem::ExitReason::Normal)
        }));
        cx.insert(note("never"));
        keep()
    });
    assert_eq!(stage.engine.counts().dropped_at_end, 2);
    stage.assert_counts();
}
