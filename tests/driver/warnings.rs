//! What a machine warns of, and how often.

use statem::{Builder, Handle};
use tracing::Level;

use crate::chains::chain;
use crate::log::{Log, listen};
use crate::support::*;

fn postponed(name: &'static str) -> Event {
    Event::Hold {
        name,
        reply: None,
        probe: None,
    }
}

#[track_caller]
fn assert_warned_once(log: &Log, words: &[&str]) {
    let warnings = of_level(log, Level::WARN);
    let [warning] = &warnings[..] else {
        panic!("not one warning: {warnings:?}")
    };
    for word in words {
        assert!(warning.contains(word), "no `{word}` in {warning}");
    }
}

#[track_caller]
fn assert_not_warned(log: &Log) {
    assert_eq!(of_level(log, Level::WARN), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn n5_an_unexpected_event_is_warned_of_with_the_machine_and_the_state() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    send(&machine, [Event::Odd(None)]);
    rest(&machine).await;
    let words = ["unexpected event", "machine=\"Puppet\"", "state=\"Idle\""];
    assert_warned_once(&log, &words);

    send(&machine, [go_busy(), Event::Odd(None)]);
    rest(&machine).await;
    assert_warned_once(&log, &["machine=\"Puppet\"", "state=\"Busy\""]);
}

#[tokio::test(start_paused = true)]
async fn n2_a_timeout_started_and_updated_in_one_transition_is_warned_of_once() {
    let (log, _guard) = listen();
    let (machine, trace) = puppet();
    let both = || {
        run("both", |_, cx| {
            cx.state_timeout(ms(20), Event::Note("started"));
            cx.update_state_timeout(Event::Note("updated"));
            Step::Keep
        })
    };
    send(&machine, [both(), both()]);
    rest(&machine).await;
    assert_eq!(trace.take(), "both updated both updated");
    if cfg!(debug_assertions) {
        assert_warned_once(&log, &["started and updated in one transition"]);
    }
    // Of one that runs the update is what it says: nothing to warn of.
    let (machine, _) = puppet();
    let start = run("start", |_, cx| {
        cx.state_timeout(ms(20), Event::Note("started"));
        Step::Keep
    });
    send(&machine, [start, both()]);
    rest(&machine).await;
    assert_not_warned(&log);
}

#[tokio::test(start_paused = true)]
async fn n2_the_first_timeout_started_and_updated_in_one_transition_is_the_one_that_is_warned_of() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    let both = run("both", |_, cx| {
        cx.state_timeout(ms(20), Event::Note("started"));
        cx.update_state_timeout(Event::Note("updated"));
        Step::Keep
    });
    send(&machine, [both]);
    rest(&machine).await;
    if cfg!(debug_assertions) {
        assert_warned_once(&log, &["started and updated in one transition"]);
    }
}

#[tokio::test(start_paused = true)]
async fn n2_requests_of_which_none_updates_a_start_beside_it_are_not_warned_of() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    let updates = run("updates", |_, cx| {
        cx.update_state_timeout(Event::Note("first"));
        cx.update_state_timeout(Event::Note("second"));
        Step::Keep
    });
    let others = run("others", |_, cx| {
        cx.state_timeout(ms(20), Event::Note("started"));
        cx.cancel_state_timeout();
        cx.update_event_timeout(Event::Note("updated"));
        Step::Keep
    });
    send(&machine, [updates, others]);
    rest(&machine).await;
    assert_not_warned(&log);
}

#[tokio::test(start_paused = true)]
async fn n30_a_chain_of_100_times_256_events_is_warned_of_once() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    // The message that begins the chain is not of the chain. A message behind it is answered when
    // it has ended.
    send(&machine, [chain(100 * 256)]);
    machine.call(Event::Ask).await.unwrap();
    assert_not_warned(&log);
    for length in [100 * 256 + 1, 300 * 256] {
        send(&machine, [chain(length)]);
        machine.call(Event::Ask).await.unwrap();
        let words = [
            "keeps inserting events",
            "machine=\"Puppet\"",
            "events=25600",
        ];
        assert_warned_once(&log, &words);
    }
}

/// Lets a machine postpone the output of a task of its state, and leave the state.
async fn discard_a_postponed_output(machine: &Handle<Puppet>) {
    let start = run("start", |_, cx| {
        cx.state_task(std::future::ready(()), |()| postponed("output"));
        Step::Keep
    });
    send(machine, [run("idle", |_, _| Step::Idle), start]);
    tokio::time::sleep(ms(1)).await;
    assert_eq!(rest(machine).await.waiting.postponed, 1);
    send(machine, [go_busy()]);
    assert_eq!(rest(machine).await.waiting.postponed, 0);
}

#[tokio::test(start_paused = true)]
async fn n36_a_postponed_output_that_is_discarded_is_warned_of_once_a_machine() {
    let (log, _guard) = listen();
    for _ in 0..2 {
        let (machine, _) = puppet();
        for times in 1..=3 {
            discard_a_postponed_output(&machine).await;
            assert_eq!(rest(&machine).await.counts.discarded, times);
        }
        let words = ["then its source was dropped", "machine=\"Puppet\""];
        assert_warned_once(&log, &words);
    }
}

#[tokio::test(start_paused = true)]
async fn n45_refused_casts_are_warned_of_at_most_once_a_second() {
    let (log, _guard) = listen();
    let (machine, trace) = puppet_with(Builder::new().postponed(1), |_| {});
    send(&machine, ["a", "b", "c"].map(postponed));
    rest(&machine).await;
    assert_eq!(trace.take(), "refused b refused c");
    let words = ["could not be postponed", "machine=\"Puppet\"", "refused=1"];
    assert_warned_once(&log, &words);

    tokio::time::advance(ms(999)).await;
    send(&machine, [postponed("d")]);
    rest(&machine).await;
    assert_not_warned(&log);

    tokio::time::advance(ms(1)).await;
    send(&machine, ["e", "f"].map(postponed));
    assert_eq!(rest(&machine).await.counts.refused, 5);
    assert_warned_once(&log, &["could not be postponed", "refused=4"]);
}
