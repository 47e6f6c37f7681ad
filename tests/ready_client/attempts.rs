//! Flapping peers, herds and long outages: how often a client connects.

use std::time::Duration;

use statem::Backoff;
use statem::net::Client;

use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, builder, connected, end, name, now, outcome, settle,
    started,
};

#[tokio::test(start_paused = true)]
async fn f16_a_peer_that_accepts_and_resets_is_not_hammered() {
    for seed in 0..8 {
        let network = Network::new(Fate::Reset);
        let backoff = Backoff::default().first(50 * MS).cap(SECOND).seed(seed);
        let client = builder(&network, Lines::default()).backoff(backoff).start();
        tokio::time::sleep(5 * SECOND).await;
        let attempts = network.attempts().len();
        // Evenly random delays come to half of their limits: 16 on average.
        assert!(
            (8..=26).contains(&attempts),
            "{attempts} attempts with seed {seed}"
        );
        let counts = end(client).await;
        assert_eq!(counts.ups, counts.connects_succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn f17_a_peer_that_works_for_30_ms_at_a_time_is_connected_to_less_than_three_times_a_second()
{
    for seed in 0..8 {
        let network = Network::new(Fate::Accept);
        let client = builder(&network, Lines::default())
            .backoff(Backoff::default().seed(seed))
            .start();
        let start = now();
        while start.elapsed() < 5 * SECOND {
            if network.has_peer() {
                let (peer, asked) = (network.peer(), ask(&client, "a"));
                settle().await;
                peer.answer();
                assert_eq!(name(&outcome(asked).await), "A");
                tokio::time::sleep(28 * MS).await;
                peer.reset();
            }
            settle().await;
        }
        let connects = network.attempts().len();
        assert!(connects < 15, "{connects} in 5 s with seed {seed}");
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn f17_a_connection_that_lived_long_enough_begins_with_short_delays_again() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).start();
    // The delays are long by now.
    tokio::time::sleep(600 * SECOND).await;
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    let peer = network.peer();
    tokio::time::sleep(10 * SECOND).await;
    let lost = now();
    peer.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    assert!(lost.elapsed() <= 102 * MS, "{:?}", lost.elapsed());
    end(client).await;
}

/// When it is tried to make another connection after one that was drained, in the order of the tries.
async fn attempts_after_a_drain(owes_an_answer: bool) -> Vec<Duration> {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default()).no_answer_timeout();
    let (client, old) = started(&network, settings).await;
    let start = now();
    let asked = owes_an_answer.then(|| ask(&client, "a"));
    settle().await;
    network.now(Fate::Refuse);
    old.say("drain");
    tokio::time::sleep(29 * SECOND).await;
    assert_eq!(old.wire.is_closed(), !owes_an_answer);
    let attempts = network.attempts();
    old.answer();
    end(client).await;
    drop(asked);
    let later = attempts.iter().skip(1);
    later.map(|attempt| attempt.duration_since(start)).collect()
}

#[tokio::test(start_paused = true)]
async fn f17_that_a_connection_lives_long_after_it_was_drained_does_not_shorten_the_delays() {
    let answered = attempts_after_a_drain(false).await;
    assert!(answered.len() > 5, "{answered:?}");
    assert_eq!(attempts_after_a_drain(true).await, answered);
}

/// How many of 10,000 clients that lose one server at once come back in each 10 ms.
async fn herd() -> Vec<usize> {
    const CLIENTS: u64 = 10_000;
    let network = Network::new(Fate::Hang);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| {
            Client::builder(
                Lines::default(),
                network.connector().connect_timeout(SECOND),
            )
            .backoff(Backoff::default().first(SECOND).seed(seed))
            .start()
        })
        .collect();
    // All of them fail in the same moment.
    tokio::time::sleep(SECOND).await;
    let lost = now();
    tokio::time::sleep(SECOND).await;
    let mut bins = vec![0; 100];
    for attempt in network.attempts() {
        if let Some(wait) = attempt.checked_duration_since(lost) {
            let bin = usize::try_from(wait.as_millis() / 10).expect("a small number");
            if let Some(bin) = bins.get_mut(bin) {
                *bin += 1;
            }
        }
    }
    for client in &clients {
        client.kill();
    }
    bins
}

#[tokio::test(start_paused = true)]
async fn f18_a_herd_that_loses_its_server_spreads_out() {
    let bins = herd().await;
    let total: usize = bins.iter().sum();
    assert!(total > 9_000, "{total} of 10,000 came back within a second");
    let most = bins.iter().max().expect("there are some");
    assert!(
        *most <= 3 * total / 100,
        "{most} of {total} in 10 ms: {bins:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn f19_an_outage_of_thirty_days_ends_with_a_connection_within_the_longest_delay() {
    let network = Network::new(Fate::Refuse);
    let cap = Duration::from_secs(600);
    let client = builder(&network, Lines::default())
        .backoff(Backoff::default().cap(cap).seed(3))
        .start();
    let days = Duration::from_secs(30 * 24 * 3600);
    tokio::time::sleep(days).await;
    let attempts = network.attempts();
    assert!(
        attempts
            .windows(2)
            .all(|pair| pair[1] - pair[0] <= cap + MS)
    );
    // Evenly random delays of up to ten minutes come to five.
    assert!(
        (8_000..9_500).contains(&attempts.len()),
        "{} attempts",
        attempts.len()
    );
    network.now(Fate::Accept);
    let back = now();
    client.ready().await.expect("it connects");
    assert!(back.elapsed() <= cap + MS);
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f43_a_jump_of_the_clock_makes_one_reconnection_and_no_burst_of_ticks() {
    let network = Network::new(Fate::Accept);
    let pings = Lines {
        pings: true,
        ..Lines::default()
    };
    let (client, peer) = started(&network, builder(&network, pings)).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    settle().await;
    // One question, which nobody answers.
    assert_eq!(peer.heard(), ["ping"]);
    tokio::time::sleep(21 * SECOND).await;
    client.ready().await.expect("it connects again");
    assert!(peer.wire.is_closed());
    assert_eq!(peer.heard(), Vec::<String>::new());
    assert_eq!(end(client).await.connects, 2);
}

#[tokio::test(start_paused = true)]
async fn f43_answers_that_came_while_the_machine_was_not_run_count_as_progress() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let asked = {
        let client = client.clone();
        tokio::spawn(async move { client.call("a".to_owned()).limit(100 * SECOND).await })
    };
    settle().await;
    let next = {
        let client = client.clone();
        tokio::spawn(async move { client.call("b".to_owned()).limit(100 * SECOND).await })
    };
    settle().await;
    assert_eq!(peer.heard(), ["a", "b"]);
    // The answer is there before the machine runs again, and its timeout is due; twice.
    peer.say("A");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(name(&outcome(asked).await), "A");
    tokio::time::sleep(5 * MS).await;
    peer.say("B");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(name(&outcome(next).await), "B");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(end(client).await.connects, 1);
}

#[tokio::test(start_paused = true)]
async fn f17_a_connection_that_lived_as_long_as_it_may_was_a_good_one() {
    for lives_on in [true, false] {
        let network = Network::new(Fate::Refuse);
        // No connection becomes as old as a good one.
        let settings = builder(&network, Lines::default())
            .min_uptime(10 * SECOND)
            .max_lifetime(2 * SECOND);
        let client = settings.start();
        // Long enough for the longest delays.
        tokio::time::sleep(600 * SECOND).await;
        network.now(Fate::Accept);
        client.ready().await.expect("it connects");
        let peer = network.peer();
        network.now(Fate::Refuse);
        tokio::time::sleep(SECOND).await;
        if !lives_on {
            peer.reset();
        }
        let before = network.attempts().len();
        tokio::time::sleep(2 * SECOND).await;
        let attempts = network.attempts().len() - before;
        if lives_on {
            // At its end, and then after at most 100, 200 and 400 ms.
            assert!(attempts >= 4, "{attempts} attempts");
            let asked = ask(&client, "a");
            settle().await;
            peer.answer();
            assert_eq!(name(&outcome(asked).await), "A");
        } else {
            assert!(attempts <= 1, "{attempts} attempts");
        }
        end(client).await;
    }
}
