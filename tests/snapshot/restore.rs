//! How a machine starts from a snapshot (N75).

use std::time::Duration;

use statem::engine::Engine;
use statem::testing::Bench;

use crate::scribe::*;

/// Written and read.
fn again(bench: &Bench<Scribe>) -> Bench<Scribe> {
    Bench::restore(read(&write(bench)))
}

/// The words of the timeouts that run, and what remains.
fn running(bench: &Bench<Scribe>) -> Vec<(String, Option<Duration>)> {
    let saved = bench.snapshot(|saving| {
        let timeouts = saving.saved.timeouts.iter();
        timeouts
            .map(|timeout| timeout.event.word().to_owned())
            .collect::<Vec<_>>()
    });
    let remaining = bench.timeouts().into_iter().map(|(_, remaining)| remaining);
    saved.into_iter().zip(remaining).collect()
}

#[test]
fn n75_every_kind_of_timeout_runs_on_with_the_time_that_remained() {
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
    let mut restored = again(&bench);
    assert_eq!(trace(&mut restored), "enter(Open)");
    assert_eq!(
        running(&restored),
        [
            ("timer".into(), Some(ms(2))),
            ("st".into(), Some(ms(12))),
            ("g".into(), Some(ms(22))),
            ("h".into(), None),
        ]
    );
    restored.advance(ms(11));
    assert!(trace(&mut restored).starts_with("timer@Timer("));
    restored.advance(ms(1));
    assert_eq!(trace(&mut restored), "st@StateTimeout");
    restored.advance(ms(10));
    assert_eq!(trace(&mut restored), "g@Timeout(G)");
    // Once each.
    restored.advance(ms(1000));
    assert_eq!(trace(&mut restored), "");
}

#[test]
fn n75_a_restored_timer_belongs_to_the_value_that_was_read() {
    let mut bench = bench();
    let long = |word: &str| Box::new(note(word));
    let asks = [
        Ask::Timer(1, 20, long("one")),
        Ask::Timer(2, 30, long("two")),
    ];
    bench.send(act("a", asks, Then::Keep));
    let mut restored = again(&bench);
    // A new timer is none of the old ones.
    restored.send(act("b", [Ask::Timer(3, 40, long("three"))], Then::Keep));
    restored.send(act("c", [Ask::DropTimer(1)], Then::Keep));
    assert_eq!(
        running(&restored),
        [("two".into(), Some(ms(30))), ("three".into(), Some(ms(40)))]
    );
    // And once more.
    let mut twice = again(&restored);
    twice.send(act("d", [Ask::DropTimer(3)], Then::Keep));
    assert_eq!(running(&twice), [("two".into(), Some(ms(30)))]);
}

#[test]
fn n75_a_timer_whose_owner_was_not_read_is_gone_with_its_postponed_event() {
    let mut bench = bench();
    let late = Box::new(act("late", [], Then::NotOpen));
    let asks = [
        Ask::Timer(1, 5, late),
        Ask::Timer(2, 30, Box::new(note("two"))),
    ];
    bench.send(act("a", asks, Then::Keep));
    bench.advance(ms(5));
    let text = write(&bench);
    assert_eq!(Bench::restore(read(&text)).postponed().count(), 1);
    let mut written: serde_json::Value = serde_json::from_str(&text).unwrap();
    written[1]["data"]["timers"] = serde_json::json!({});
    let restored = Bench::restore(read(&written.to_string()));
    assert_eq!(
        (restored.postponed().count(), restored.timeouts().len()),
        (0, 0)
    );
    // And one that is dropped between the two.
    let mut snapshot = read(&text);
    snapshot.saved.data.timers.clear();
    let mut restored = Bench::restore(snapshot);
    restored.send(note("next"));
    assert_eq!(
        (restored.postponed().count(), restored.timeouts().len()),
        (0, 0)
    );
}

#[test]
fn n75_a_timer_is_read_only_within_a_snapshot() {
    let timer = serde_json::from_str::<statem::Timer>("3");
    assert_eq!(
        timer.unwrap_err().to_string(),
        "a timer can be read only as part of a snapshot"
    );
    assert!(
        serde_json::from_str::<statem::Timer>("null")
            .unwrap()
            .id()
            .is_none()
    );
}

#[test]
fn n75_the_enter_call_comes_before_everything_and_its_requests_override() {
    let mut bench = bench();
    bench.send(act(
        "a",
        [
            Ask::State(30, "st".into()),
            Ask::Named(Name::G, 40, "g".into()),
            Ask::Named(Name::H, 50, "h".into()),
        ],
        Then::Keep,
    ));
    bench.data_mut().on_enter = vec![
        Ask::State(9, "other".into()),
        Ask::Update(Name::G, "updated".into()),
        Ask::Cancel(Name::H),
        Ask::Source,
        Ask::Silence(60, "et".into()),
    ];
    bench.advance(ms(18));
    let mut restored = again(&bench);
    assert_eq!(trace(&mut restored), "enter(Open)");
    assert_eq!(restored.sources().count(), 1);
    assert_eq!(
        running(&restored),
        [
            ("other".into(), Some(ms(9))),
            ("updated".into(), Some(ms(22)))
        ]
    );
    restored.advance(ms(22));
    assert_eq!(
        trace(&mut restored),
        "other@StateTimeout updated@Timeout(G)"
    );
}

#[test]
fn n75_postponed_events_wait_for_a_change_of_state_and_keep_their_origin() {
    let mut bench = bench();
    bench.send(act("p1", [], Then::NotOpen));
    let inserted = Box::new(act("p2", [], Then::NotOpen));
    bench.send(act("a", [Ask::Insert(inserted)], Then::Keep));
    let mut restored = again(&bench);
    assert_eq!(restored.postponed().count(), 2);
    // In the life that was saved, and not in this one.
    assert_eq!(bench.counts().postponed, 2);
    assert_eq!(restored.counts().postponed, 0);
    assert_eq!(trace(&mut restored), "enter(Open)");
    restored.send(act("go", [], Then::Shut));
    assert_eq!(
        trace(&mut restored),
        "go@Cast enter(Open) p1@Cast p2@Inserted"
    );
    // N48.
    let counts = restored.counts();
    assert_eq!(
        (counts.received, counts.consumed, counts.handled),
        (3, 3, 3)
    );
}

#[test]
fn n75_time_spent_saved_counts_only_if_it_is_said_and_what_is_due_fires_in_the_first_turn() {
    let mut bench = bench();
    bench.send(act(
        "a",
        [
            Ask::State(30, "st".into()),
            Ask::Named(Name::G, 20, "g".into()),
            Ask::Named(Name::H, 50, "h".into()),
        ],
        Then::Keep,
    ));
    let text = write(&bench);
    let mut restored = Bench::restore(read(&text).after(ms(40)));
    assert_eq!(
        trace(&mut restored),
        "enter(Open) g@Timeout(G) st@StateTimeout"
    );
    assert_eq!(running(&restored), [("h".into(), Some(ms(10)))]);
    // Not even then does it come before what the enter call inserts.
    let mut snapshot = read(&text).after(ms(1000));
    snapshot.saved.data.on_enter = vec![Ask::Insert(Box::new(note("i")))];
    let mut restored = Bench::restore(snapshot);
    assert_eq!(
        trace(&mut restored),
        "enter(Open) i@Inserted g@Timeout(G) st@StateTimeout h@Timeout(H)"
    );
}

#[test]
fn n75_timeouts_that_became_due_do_not_come_before_those_of_zero() {
    let mut engine = Engine::<Scribe>::new(Open::default(), Book::default());
    engine.start(&|| Duration::ZERO);
    let asks = [
        Ask::State(3, "st".into()),
        Ask::Named(Name::G, 0, "g".into()),
    ];
    engine.handle(act("a", asks, Then::Keep), &|| Duration::ZERO);
    let text = serde_json::to_string(&engine.snapshot(Duration::ZERO).unwrap()).unwrap();
    let mut restored = Bench::restore(read(&text).after(ms(3)));
    assert_eq!(
        trace(&mut restored),
        "enter(Open) g@Timeout(G) st@StateTimeout"
    );
}

#[test]
fn n75_a_postponed_event_of_a_restored_timer_goes_with_its_owner() {
    let mut bench = bench();
    let late = Box::new(act("late", [], Then::NotOpen));
    bench.send(act("a", [Ask::Timer(1, 5, late)], Then::Keep));
    bench.advance(ms(5));
    let mut restored = again(&bench);
    restored.data_mut().timers.clear();
    restored.send(note("next"));
    assert_eq!(restored.postponed().count(), 0);
    assert_eq!(restored.counts().discarded, 1);
    // With its owner it is tried again.
    let mut restored = again(&bench);
    trace(&mut restored);
    restored.send(act("go", [], Then::Shut));
    assert!(trace(&mut restored).contains("late@Timer("));
}
