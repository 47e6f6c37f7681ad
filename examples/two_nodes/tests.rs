//! What each promise is worth, over many seeds.

use super::machine::Message;
use super::simulation::{Counts, Promise, REQUESTS, run};

const SEEDS: u64 = 60;

fn counts(promise: Promise, seed: u64) -> Counts {
    let story =
        run(promise, seed).unwrap_or_else(|error| panic!("{promise:?} seed {seed}: {error}"));
    let counts = story.counts();
    let why = format!("{promise:?} seed {seed}: {counts:?}");
    assert_eq!(counts.asked, REQUESTS, "{why}");
    assert_eq!(counts.asked, counts.answered + counts.unknown, "{why}");
    assert_eq!(counts.mismatched, 0, "{why}");
    // What was answered was carried out; what was not may have been.
    assert!(counts.answered <= counts.carried_out, "{why}");
    assert!(counts.carried_out <= counts.asked, "{why}");
    counts
}

/// The sums over all seeds, of what `check` has seen for each.
fn over_seeds(repeats: bool, remembers: bool, check: impl Fn(&Counts) -> bool) -> Counts {
    let promise = Promise { repeats, remembers };
    let mut sum = Counts::default();
    for seed in 0..SEEDS {
        let counts = counts(promise, seed);
        assert!(check(&counts), "{promise:?} seed {seed}: {counts:?}");
        sum.asked += counts.asked;
        sum.answered += counts.answered;
        sum.unknown += counts.unknown;
        sum.sent += counts.sent;
        sum.late += counts.late;
        sum.carried_out += counts.carried_out;
        sum.again += counts.again;
        sum.remembered += counts.remembered;
    }
    sum
}

#[test]
fn asked_once_and_remembered_is_at_most_once() {
    let sum = over_seeds(false, true, |counts| {
        counts.sent == counts.asked && counts.again == 0
    });
    // Some were never carried out, and some that the asker gave up were.
    assert!(sum.carried_out < sum.asked, "{sum:?}");
    assert!(sum.carried_out > sum.answered, "{sum:?}");
    assert!(sum.late > 0 && sum.remembered > 0, "{sum:?}");
}

#[test]
fn asked_again_without_memory_is_at_least_once() {
    let sum = over_seeds(true, false, |counts| {
        counts.unknown == 0 && counts.carried_out == counts.asked
    });
    assert!(sum.again > 0 && sum.sent > sum.asked, "{sum:?}");
    assert_eq!(sum.remembered, 0);
}

#[test]
fn asked_again_and_remembered_is_once() {
    let sum = over_seeds(true, true, |counts| {
        counts.unknown == 0 && counts.carried_out == counts.asked && counts.again == 0
    });
    // It was not the network: as much was sent again, and known again.
    assert!(sum.sent > sum.asked, "{sum:?}");
    assert!(sum.remembered > 0 && sum.late > 0, "{sum:?}");
}

#[test]
fn asked_once_without_memory_promises_nothing() {
    let sum = over_seeds(false, false, |counts| counts.sent == counts.asked);
    assert!(sum.carried_out < sum.asked && sum.again > 0, "{sum:?}");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let promise = Promise {
        repeats: true,
        remembers: true,
    };
    let lines = |seed| run(promise, seed).expect("both nodes live").lines();
    assert_eq!(lines(7), lines(7));
    assert_ne!(lines(7), lines(8));
}

#[test]
fn a_message_is_read_as_it_was_written_and_nothing_else_is_one() {
    let message = Message {
        reference: u64::MAX,
        amount: 7,
    };
    let bytes = message.encode();
    assert_eq!(Message::decode(&bytes), Some(message));
    for length in 0..16 {
        assert_eq!(Message::decode(&bytes[..length]), None);
    }
    assert_eq!(Message::decode(&[&bytes[..], &[0]].concat()), None);
}
