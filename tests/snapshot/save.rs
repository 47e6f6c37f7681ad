//! What a snapshot holds, and what it leaves out (N74).

use std::time::Duration;

use serde_json::{Value, json};
use statem::ExitReason;
use statem::engine::Engine;
use statem::snapshot::{LeftOut, Remaining, SavedOrigin, Which};

use crate::scribe::*;

#[test]
fn n74_every_kind_of_timeout_is_saved_with_the_time_that_remains_but_the_event_timeout() {
    let mut bench = bench();
    bench.send(act(
        "all",
        [
            Ask::State(30, "st".into()),
            Ask::Named(Name::G, 40, "g".into()),
            Ask::Never(Name::H, "h".into()),
            Ask::Timer(7, 20, Box::new(note("timer"))),
        ],
        Then::Keep,
    ));
    bench.advance(ms(18));
    bench.send(act("quiet", [Ask::Silence(50, "et".into())], Then::Keep));
    bench.snapshot(|saving| {
        let timeouts = &saving.saved.timeouts;
        let told: Vec<_> = timeouts
            .iter()
            .map(|timeout| (timeout.which, timeout.remaining, timeout.event.word()))
            .collect();
        let Which::Timer(number) = told[0].0 else {
            panic!("{told:?}")
        };
        assert_eq!(
            told,
            [
                (Which::Timer(number), Remaining::Time(ms(2)), "timer"),
                (Which::State, Remaining::Time(ms(12)), "st"),
                (Which::Named(Name::G), Remaining::Time(ms(22)), "g"),
                (Which::Named(Name::H), Remaining::Never, "h"),
            ]
        );
        assert!(saving.saved.left_out.event_timeout);
    });
    // The machine goes on as if nobody had looked.
    trace(&mut bench);
    bench.advance(ms(22));
    assert_eq!(bench.timeouts().len(), 1);
    let words = trace(&mut bench);
    assert!(
        words.starts_with("timer@Timer(") && words.ends_with("st@StateTimeout g@Timeout(G)"),
        "{words}"
    );
}

#[test]
fn n74_timeouts_of_zero_are_saved_as_zero_in_their_order() {
    let mut engine = Engine::<Scribe>::new(Open::default(), Book::default());
    engine.start(&|| Duration::ZERO);
    let event = act(
        "all",
        [
            Ask::Named(Name::H, 0, "h".into()),
            Ask::State(0, "st".into()),
            Ask::Named(Name::G, 0, "g".into()),
        ],
        Then::Keep,
    );
    engine.handle(event, &|| ms(5));
    let saving = engine.snapshot(ms(9)).unwrap();
    let timeouts = saving.saved.timeouts.iter();
    let told: Vec<_> = timeouts
        .map(|timeout| (timeout.which, timeout.remaining))
        .collect();
    assert_eq!(
        told,
        [
            (Which::Named(Name::H), Remaining::Zero),
            (Which::State, Remaining::Zero),
            (Which::Named(Name::G), Remaining::Zero),
        ]
    );
    let text = serde_json::to_string(&saving).unwrap();
    let mut restored = Engine::restore(read(&text));
    restored.start(&|| Duration::ZERO);
    settle(&mut restored);
    assert_eq!(
        engine_trace(&mut restored),
        "enter(Open) h@Timeout(H) st@StateTimeout g@Timeout(G)"
    );
}

#[test]
fn n74_a_timeout_that_is_due_is_none_of_zero() {
    let mut engine = Engine::<Scribe>::new(Open::default(), Book::default());
    engine.start(&|| Duration::ZERO);
    engine.handle(act("a", [Ask::State(5, "st".into())], Then::Keep), &|| {
        Duration::ZERO
    });
    let saving = engine.snapshot(ms(9)).unwrap();
    assert_eq!(
        saving.saved.timeouts[0].remaining,
        Remaining::Time(Duration::ZERO)
    );
}

#[test]
fn n74_postponed_events_are_saved_oldest_first_without_calls_and_outputs() {
    let mut bench = bench();
    bench.send(act("p1", [], Then::NotOpen));
    let answer = bench.call(call);
    bench.send(act("a", [Ask::Output, Ask::Source], Then::Keep));
    bench.poll();
    let inserted = Box::new(act("p2", [], Then::NotOpen));
    bench.send(act("b", [Ask::Insert(inserted)], Then::Keep));
    let late = Box::new(act("p3", [], Then::NotOpen));
    bench.send(act("c", [Ask::Timer(1, 5, late)], Then::Keep));
    bench.advance(ms(5));
    bench.snapshot(|saving| {
        let postponed = saving.saved.postponed.iter();
        let told: Vec<_> = postponed
            .map(|saved| (saved.event.word(), saved.origin))
            .collect();
        assert!(
            matches!(
                told[..],
                [
                    ("p1", SavedOrigin::Cast),
                    ("p2", SavedOrigin::Inserted),
                    ("p3", SavedOrigin::Timeout(Which::Timer(_))),
                ]
            ),
            "{told:?}"
        );
        // The task whose output is postponed has not been polled again, so it has not ended.
        let LeftOut {
            calls,
            outputs,
            sources,
            event_timeout,
            queued,
            ..
        } = saving.saved.left_out;
        assert_eq!(
            (calls, outputs, sources, event_timeout, queued),
            (1, 1, 2, false, 0)
        );
    });
    assert_eq!(bench.postponed().count(), 5);
    // Calls cannot be written, and were not asked to be.
    write(&bench);
    drop(answer);
}

#[test]
fn n74_what_is_written_is_the_version_and_the_values() {
    let mut bench = bench();
    bench.send(act("a", [Ask::State(30, "st".into())], Then::Keep));
    bench.send(act("p", [], Then::NotOpen));
    let written: Value = serde_json::from_str(&write(&bench)).unwrap();
    assert_eq!(
        written,
        json!([1, {
            "state": { "Open": { "timers": [] } },
            "data": { "timers": {}, "on_enter": [] },
            "timeouts": [{
                "which": "State",
                "remaining": { "Time": { "secs": 0, "nanos": 30_000_000 } },
                "event": { "Do": ["st", [], "Keep"] },
            }],
            "postponed": [{ "origin": "Cast", "event": { "Do": ["p", [], "NotOpen"] } }],
            "left_out": { "calls": 0, "outputs": 0, "sources": 0, "event_timeout": false, "queued": 0 },
        }])
    );
}

#[test]
fn n74_a_machine_that_has_ended_is_not_saved_and_what_waits_in_the_queue_is_counted() {
    let mut engine = Engine::<Scribe>::new(Open::default(), Book::default());
    engine.start(&|| Duration::ZERO);
    let inserts = act("a", [Ask::Insert(Box::new(note("i")))], Then::Keep);
    engine.handle(inserts, &|| Duration::ZERO);
    assert_eq!(
        engine
            .snapshot(Duration::ZERO)
            .unwrap()
            .saved
            .left_out
            .queued,
        1
    );
    engine.stop(ExitReason::Shutdown);
    assert!(engine.snapshot(Duration::ZERO).is_none());
}
