//! Peers that go silent, and peers that are only slow.

use std::time::Duration;

use statem::net::Client;

use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, builder, connected, end, name, now, outcome, settle,
    started, until,
};

const LIMIT: Duration = Duration::from_secs(3);

fn pinging() -> Lines {
    Lines {
        pings: true,
        ..Lines::default()
    }
}

#[tokio::test(start_paused = true)]
async fn f20_an_idle_connection_that_is_black_holed_is_replaced_within_interval_and_timeout() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging())
        .answer_timeout(LIMIT)
        .ping_after(20 * SECOND);
    let (client, peer) = started(&network, settings).await;
    // The peer speaks for a minute, so nothing is asked of it.
    for _ in 0..60 {
        peer.say("");
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(peer.heard(), Vec::<String>::new());
    let silent = now();
    until(|| peer.wire.is_closed()).await;
    let noticed = silent.elapsed();
    assert!(noticed <= 20 * SECOND + LIMIT + 10 * MS, "{noticed:?}");
    assert_eq!(peer.heard(), ["ping"]);
    client.ready().await.expect("it connects again");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_answers_lives() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging()).answer_timeout(LIMIT);
    let (client, peer) = started(&network, settings).await;
    let mut pings = 0;
    for _ in 0..600 {
        tokio::time::sleep(SECOND).await;
        pings += peer.answer();
    }
    assert!((20..=40).contains(&pings), "{pings} in ten minutes");
    let counts = end(client).await;
    assert_eq!((counts.connects, counts.accepted, counts.sent), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_protocol_without_a_ping_leaves_an_idle_connection_alone() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    tokio::time::sleep(3600 * SECOND).await;
    assert!(!peer.wire.is_closed());
    assert_eq!(end(client).await.connects, 1);
}

#[tokio::test(start_paused = true)]
async fn f21_a_busy_connection_that_is_black_holed_is_replaced_within_twice_the_limit() {
    let network = Network::new(Fate::Accept);
    let (client, peer) =
        started(&network, builder(&network, pinging()).answer_timeout(LIMIT)).await;
    for _ in 0..20 {
        let asked = ask(&client, "a");
        settle().await;
        peer.answer();
        assert_eq!(name(&outcome(asked).await), "A");
        tokio::time::sleep(150 * MS).await;
    }
    let silent = now();
    let mut asked = Vec::new();
    while !peer.wire.is_closed() && silent.elapsed() < 60 * SECOND {
        // Something is written all the time.
        asked.push(ask(&client, "b"));
        tokio::time::sleep(50 * MS).await;
    }
    let noticed = silent.elapsed();
    assert!(
        noticed >= LIMIT && noticed <= 2 * LIMIT + 60 * MS,
        "{noticed:?}"
    );
    client.ready().await.expect("it connects again");
    let new = network.peer();
    settle().await;
    new.answer();
    let mut told = Vec::new();
    for asked in asked {
        told.push(name(&outcome(asked).await));
    }
    let unknown = told.iter().filter(|told| *told == "Unknown(Lost)").count();
    assert!(unknown > 50, "{told:?}");
    assert!(told[unknown..].iter().all(|told| told == "B"), "{told:?}");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f06_f21_a_peer_that_goes_silent_is_left_by_default() {
    let network = Network::new(Fate::Accept);
    let lines = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = Client::start(lines, network.connector());
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.call("a".to_owned()).limit(60 * SECOND).await }
    });
    // In the handshake, and with a request in flight.
    settle().await;
    let (silent, peer) = (now(), network.peer());
    until(|| peer.wire.is_closed()).await;
    assert!((5 * SECOND..=5 * SECOND + 10 * MS).contains(&silent.elapsed()));
    until(|| network.has_peer()).await;
    let peer = network.peer();
    peer.say("welcome");
    settle().await;
    assert_eq!(peer.heard(), ["hello", "a"]);
    let silent = now();
    assert_eq!(name(&asked.await.expect("nobody panics")), "Unknown(Lost)");
    assert!((10 * SECOND..=15 * SECOND + 10 * MS).contains(&silent.elapsed()));
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f22_a_slow_peer_is_not_left() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(
        &network,
        builder(&network, Lines::default()).answer_timeout(LIMIT),
    )
    .await;
    for _ in 0..20 {
        let asked = ask(&client, "a");
        tokio::time::sleep(LIMIT * 4 / 5).await;
        peer.answer();
        assert_eq!(name(&outcome(asked).await), "A");
    }
    // One after the other, so that there is always something in flight.
    let mut last = ask(&client, "0");
    settle().await;
    for number in 1..40 {
        let next = ask(&client, &number.to_string());
        tokio::time::sleep(LIMIT / 2).await;
        peer.say(&(number - 1).to_string());
        assert_eq!(name(&outcome(last).await), (number - 1).to_string());
        last = next;
    }
    peer.say("39");
    assert_eq!(name(&outcome(last).await), "39");
    assert_eq!(end(client).await.connects, 1);
}

#[tokio::test(start_paused = true)]
async fn f22_a_request_that_may_take_long_suspends_the_watch() {
    let network = Network::new(Fate::Accept);
    let (client, peer) =
        started(&network, builder(&network, pinging()).answer_timeout(LIMIT)).await;
    let long = {
        let client = client.clone();
        tokio::spawn(async move { client.call("long".to_owned()).limit(3600 * SECOND).await })
    };
    settle().await;
    let behind = {
        let client = client.clone();
        tokio::spawn(async move { client.call("b".to_owned()).limit(3600 * SECOND).await })
    };
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(peer.heard(), ["long", "b"], "a ping would wait behind it");
    peer.say("at last");
    assert_eq!(name(&outcome(long).await), "at last");
    assert!(!peer.wire.is_closed());
    // What was behind it is watched from here on.
    let start = now();
    until(|| peer.wire.is_closed()).await;
    assert!(
        start.elapsed() <= 2 * LIMIT + 10 * MS,
        "{:?}",
        start.elapsed()
    );
    assert_eq!(name(&outcome(behind).await), "Unknown(Lost)");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f22_by_id_those_that_may_take_long_do_not_hide_the_others() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(1..=9),
        pings: true,
        ..Lines::default()
    };
    let (client, peer) = started(
        &network,
        builder(&network, by_id)
            .answer_timeout(LIMIT)
            .limit(60 * SECOND),
    )
    .await;
    let long = {
        let client = client.clone();
        tokio::spawn(async move { client.call("long".to_owned()).limit(3600 * SECOND).await })
    };
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(peer.heard(), ["1 long"]);
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(
        peer.heard(),
        ["2 ping"],
        "an id of its own is free for the ping"
    );
    peer.say("2 PING");
    settle().await;
    let other = ask(&client, "b");
    let start = now();
    until(|| peer.wire.is_closed()).await;
    assert!(start.elapsed() >= LIMIT && start.elapsed() <= 2 * LIMIT + 10 * MS);
    assert_eq!(name(&outcome(other).await), "Unknown(Lost)");
    assert_eq!(name(&outcome(long).await), "Unknown(Lost)");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f23_late_replies_are_discarded_and_counted_and_the_connection_stays() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let mut asked = Vec::new();
    for number in 0..64 {
        let client = client.clone();
        asked.push(tokio::spawn(async move {
            client.call(number.to_string()).limit(500 * MS).await
        }));
    }
    tokio::time::sleep(3 * SECOND).await;
    for asked in asked {
        assert_eq!(name(&outcome(asked).await), "Unknown(TimedOut)");
    }
    // It goes on, and answers all of them.
    let next = ask(&client, "next");
    settle().await;
    assert_eq!(peer.answer(), 65);
    assert_eq!(name(&outcome(next).await), "NEXT");
    let counts = end(client).await;
    assert_eq!(
        (counts.connects, counts.late, counts.unknown, counts.ok),
        (1, 64, 64, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn f24_a_peer_that_does_not_read_is_left_and_reading_goes_on_meanwhile() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default()).no_answer_timeout();
    let (client, peer) = started(&network, settings).await;
    let first = ask(&client, "a");
    settle().await;
    assert_eq!(peer.heard(), ["a"]);
    peer.wire.accept(1);
    let stuck = ask(&client, "stuck");
    let unsent = ask(&client, "unsent");
    settle().await;
    peer.say("A");
    assert_eq!(name(&outcome(first).await), "A");
    let start = now();
    until(|| peer.wire.is_closed()).await;
    assert!(
        start.elapsed() <= 10 * SECOND + 10 * MS,
        "{:?}",
        start.elapsed()
    );
    // Their limits passed before: they were on their way for all the client could tell them.
    for asked in [stuck, unsent] {
        assert_eq!(name(&outcome(asked).await), "Unknown(TimedOut)");
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f35_local_messages_do_not_move_the_timeouts() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(
        &network,
        builder(&network, pinging())
            .answer_timeout(LIMIT)
            .ping_after(4 * SECOND),
    )
    .await;
    let start = now();
    while !peer.wire.is_closed() && start.elapsed() < 60 * SECOND {
        client.inspect().await.expect("it answers");
        drop(client.subscribe(1).await);
        settle().await;
    }
    let noticed = start.elapsed();
    assert!(noticed <= 4 * SECOND + LIMIT + 10 * MS, "{noticed:?}");
    // The timers of the connection that is gone do not fire on the next one.
    client.ready().await.expect("it connects again");
    let new = network.peer();
    for _ in 0..1000 {
        client.inspect().await.expect("it answers");
        settle().await;
    }
    assert_eq!(new.heard(), Vec::<String>::new());
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f22_a_request_that_may_take_long_is_watched_as_any_other_when_its_caller_has_gone() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging()).answer_timeout(LIMIT);
    let (client, peer) = started(&network, settings).await;
    let long = ask(&client, "long");
    tokio::time::sleep(4 * SECOND).await;
    assert!(!long.is_finished() && !peer.wire.is_closed());
    // Its own limit passes after five seconds.
    let start = now();
    until(|| peer.wire.is_closed()).await;
    let noticed = start.elapsed();
    assert!(noticed <= SECOND + 2 * LIMIT + 10 * MS, "{noticed:?}");
    assert_eq!(name(&outcome(long).await), "Unknown(TimedOut)");
    client.ready().await.expect("it connects again");
    let next = ask(&client, "a");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(next).await), "A");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f22_by_id_those_that_may_take_long_and_whose_callers_have_gone_do_not_keep_all_the_room() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(1..=99),
        pings: true,
        ..Lines::default()
    };
    let settings = builder(&network, by_id)
        .answer_timeout(LIMIT)
        .window(4)
        .limit(SECOND);
    let (client, peer) = started(&network, settings).await;
    let answer_the_others = || {
        for line in peer.heard() {
            if !line.contains("long") {
                peer.say(&line);
            }
        }
    };
    // As long as there is room they harm nobody.
    for _ in 0..3 {
        drop(ask(&client, "long").await);
    }
    for _ in 0..120 {
        tokio::time::sleep(SECOND).await;
        answer_the_others();
    }
    assert!(!peer.wire.is_closed());
    drop(ask(&client, "long").await);
    let start = now();
    until(|| peer.wire.is_closed()).await;
    let noticed = start.elapsed();
    assert!(noticed <= 2 * LIMIT + 10 * MS, "{noticed:?}");
    client.ready().await.expect("it connects again");
    let next = ask(&client, "a");
    settle().await;
    network.peer().say("1 A");
    assert_eq!(name(&outcome(next).await), "A");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn intervals_of_nothing_are_short_ones_and_no_ping_is_none() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging()).ping_after(Duration::ZERO);
    let (client, peer) = started(&network, settings).await;
    let mut pings = 0;
    for _ in 0..100 {
        settle().await;
        pings += peer.answer();
    }
    assert!(
        (10..=100).contains(&pings),
        "{pings} in a tenth of a second"
    );
    end(client).await;

    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging()).no_ping();
    let (client, peer) = started(&network, settings).await;
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(peer.heard(), Vec::<String>::new());
    end(client).await;

    let network = Network::new(Fate::Accept);
    let settings = builder(&network, pinging()).max_lifetime(Duration::ZERO);
    let client = settings.start();
    tokio::time::sleep(10 * SECOND).await;
    let connects = client.counts().connects;
    assert!((9..=13).contains(&connects), "{connects} in ten seconds");
    end(client).await;
}
