//! The delays, by seed.

use std::time::Duration;

use statem::Backoff;

use crate::support::ms;

/// How many fall into each of so many equal parts of the range.
fn parts(delays: &[Duration], range: Duration, count: u32) -> Vec<usize> {
    let mut parts = vec![0; count as usize];
    let width = range / count;
    for delay in delays {
        let part = delay.as_nanos() / width.as_nanos();
        let part = usize::try_from(part).expect("a small number");
        parts[part.min(count as usize - 1)] += 1;
    }
    parts
}

#[test]
fn f18_the_first_delays_of_10_000_machines_are_spread_evenly() {
    for (first, bins) in [(ms(100), 10), (ms(1_000), 100)] {
        // As a machine has it, without a seed, is random; so each has one of its own here.
        let delays: Vec<_> = (0..10_000)
            .map(|seed| Backoff::default().first(first).seed(seed).delay())
            .collect();
        assert!(delays.iter().all(|delay| *delay <= first));
        let parts = parts(&delays, first, bins);
        let mean = delays.len() / bins as usize;
        let (most, fewest) = (parts.iter().max(), parts.iter().min());
        assert!(most <= Some(&(mean * 3 / 2)), "{parts:?}");
        assert!(fewest >= Some(&(mean / 2)), "{parts:?}");
    }
}

#[test]
fn f18_without_a_seed_two_machines_differ() {
    let mut delays: Vec<_> = (0..100).map(|_| Backoff::default().delay()).collect();
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 90, "{} of 100 differ", delays.len());
}

#[test]
fn f18_copies_without_a_seed_differ_and_those_with_one_do_not() {
    let four = |mut backoff: Backoff| [(); 4].map(|()| backoff.delay());
    let mut one = Backoff::default();
    let _ = one.delay();
    let copies: Vec<_> = (0..20).map(|_| four(one.clone())).collect();
    for (place, copy) in copies.iter().enumerate() {
        assert!(!copies[..place].contains(copy), "{copies:?}");
    }
    // It goes on with the limit of the original.
    assert_eq!(one.clone().attempts(), 1);
    let mut one = Backoff::default().seed(5);
    let _ = one.delay();
    assert_eq!(four(one.clone()), four(one));
}

#[test]
fn the_nth_delay_is_spread_between_zero_and_its_limit() {
    for (n, limit) in [
        (0, 100),
        (1, 200),
        (2, 400),
        (8, 25_600),
        (9, 30_000),
        (40, 30_000),
    ] {
        let limit = ms(limit);
        let delays: Vec<_> = (0..1_000)
            .map(|seed| {
                let mut backoff = Backoff::default().seed(seed);
                for _ in 0..n {
                    let _ = backoff.delay();
                }
                backoff.delay()
            })
            .collect();
        assert!(delays.iter().all(|delay| *delay <= limit), "delay {n}");
        let parts = parts(&delays, limit, 10);
        assert!(
            parts.iter().all(|part| (60..140).contains(part)),
            "{parts:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_delays() {
    let delays = |seed| {
        let mut backoff = Backoff::default().seed(seed);
        (0..50).map(|_| backoff.delay()).collect::<Vec<_>>()
    };
    assert_eq!(delays(7), delays(7));
    assert_ne!(delays(7), delays(8));
}

#[test]
fn f19_a_year_of_outage_ends_with_delays_that_the_cap_bounds() {
    let mut backoff = Backoff::default().cap(ms(1)).seed(1);
    for _ in 0..1_000_000 {
        assert!(backoff.delay() <= ms(1));
    }
    assert_eq!(backoff.attempts(), 1_000_000);

    let mut backoff = Backoff::default().seed(1);
    let (mut outage, month) = (Duration::ZERO, Duration::from_secs(30 * 24 * 3_600));
    while outage < month {
        let delay = backoff.delay();
        assert!(delay <= Duration::from_secs(30));
        outage += delay;
    }
    // One in 15 s.
    let expected = 30 * 24 * 3_600 / 15;
    assert!((expected * 9 / 10..expected * 11 / 10).contains(&backoff.attempts()));
}

#[test]
fn limits_that_make_no_sense_do_no_harm() {
    // Doubled without an end.
    let mut backoff = Backoff::default().first(Duration::MAX).cap(Duration::MAX);
    for _ in 0..200 {
        let _ = backoff.delay();
        let _ = backoff.slow_delay();
    }
    // A first limit above the cap.
    let mut backoff = Backoff::default().cap(ms(10)).seed(1);
    assert!((0..100).all(|_| backoff.delay() <= ms(10)));
    // None at all would be a loop without a pause.
    let mut backoff = Backoff::default().first(ms(0)).seed(1);
    let longest = (0..100).map(|_| backoff.delay()).max();
    assert!(longest > Some(Duration::from_secs(20)));
    let mut backoff = Backoff::default().cap(ms(0)).seed(1);
    let longest = (0..100).map(|_| backoff.delay()).max();
    assert!(longest > Some(Duration::from_micros(900)));
}

#[test]
fn after_a_reset_the_delays_are_the_first_ones_and_differ_from_before() {
    let mut backoff = Backoff::default().seed(3);
    let before: Vec<_> = (0..20).map(|_| backoff.delay()).collect();
    assert!(before.iter().max() > Some(&ms(400)));
    backoff.reset();
    assert_eq!(backoff.attempts(), 0);
    let after = backoff.delay();
    assert!(after <= ms(100) && !before.contains(&after));
}

#[test]
fn f07_a_failure_that_time_does_not_mend_waits_between_the_cap_and_twice_the_cap() {
    let mut backoff = Backoff::default().seed(3);
    for _ in 0..1_000 {
        let delay = backoff.slow_delay();
        assert!((30..=60).contains(&delay.as_secs()), "{delay:?}");
    }
    // It says nothing of failures of the other kind.
    assert!(backoff.delay() <= ms(100));
}
