//! Connections that are replaced, and clients that end.

use std::time::Duration;

use statem::ExitReason;
use statem::net::Client;

use crate::support::{
    Fate, Lines, MS, Network, Peer, SECOND, ask, builder, connected, end, name, now, outcome,
    settle, started, state,
};

/// A client whose callers wait for a minute, and its peer.
async fn patient(network: &Network) -> (Client<Lines>, Peer) {
    let settings = builder(network, Lines::default())
        .limit(60 * SECOND)
        .no_answer_timeout();
    started(network, settings).await
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f38_a_drain_makes_before_it_breaks() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    tokio::time::sleep(11 * SECOND).await;
    let before = ask(&client, "before");
    settle().await;
    old.say("drain");
    let after = ask(&client, "after");
    settle().await;
    settle().await;
    assert_eq!(state(&client), "Connected");
    let new = network.peer();
    assert_eq!(
        (old.heard(), new.heard()),
        (vec!["before".to_owned()], vec!["after".to_owned()])
    );
    new.say("AFTER");
    assert_eq!(name(&outcome(after).await), "AFTER");
    assert!(!old.wire.is_closed(), "it still owes an answer");
    old.say("BEFORE");
    assert_eq!(name(&outcome(before).await), "BEFORE");
    assert!(old.wire.is_shut());
    let counts = end(client).await;
    assert_eq!((counts.ok, counts.unknown, counts.ups), (2, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn f38_after_a_drain_requests_wait_for_the_new_connection() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    tokio::time::sleep(11 * SECOND).await;
    let before = ask(&client, "before");
    settle().await;
    network.now(Fate::Refuse);
    old.say("drain");
    settle().await;
    let waits = ask(&client, "waits");
    settle().await;
    assert_eq!(old.heard(), ["before"]);
    old.say("BEFORE");
    assert_eq!(name(&outcome(before).await), "BEFORE");
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(waits).await), "WAITS");
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f38_a_peer_that_drains_every_connection_at_once_is_not_hammered() {
    let network = Network::new(Fate::Accept);
    let client = builder(&network, Lines::default()).start();
    let start = now();
    while start.elapsed() < 5 * SECOND {
        if network.has_peer() {
            network.peer().say("drain");
        }
        settle().await;
    }
    assert!(
        network.attempts().len() < 15,
        "{}",
        network.attempts().len()
    );
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f38_a_connection_that_was_drained_at_once_is_no_good_one_for_being_awaited() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default()).limit(60 * SECOND);
    let settings = settings.no_answer_timeout().grace(60 * SECOND);
    let (client, peer) = started(&network, settings).await;
    let asked = ask(&client, "a");
    settle().await;
    network.now(Fate::Refuse);
    peer.say("drain");
    // The delays grow; when it is as old as a good one, they do not start over.
    tokio::time::sleep(10 * SECOND).await;
    let before = network.attempts().len();
    tokio::time::sleep(30 * SECOND).await;
    let after = network.attempts().len() - before;
    assert!(after <= 4, "{after} attempts in thirty seconds");
    peer.answer();
    assert_eq!(name(&outcome(asked).await), "A");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_drained_connection_still_owes_when_its_time_is_over_is_unknown() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default()).grace(2 * SECOND);
    let (client, old) = started(&network, settings).await;
    let asked = ask(&client, "a");
    settle().await;
    old.say("drain");
    tokio::time::sleep(2 * SECOND + MS).await;
    assert_eq!(name(&outcome(asked).await), "Unknown(Lost)");
    assert!(old.wire.is_closed());
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f40_reconnect_now_in_each_state() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).start();
    // The delays are long by now.
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(state(&client), "Disconnected");
    network.now(Fate::Hang);
    let attempts = network.attempts().len();
    client.reconnect_now().await;
    settle().await;
    assert_eq!(
        (state(&client), network.attempts().len()),
        ("Connecting".into(), attempts + 1)
    );
    for _ in 0..3 {
        client.reconnect_now().await;
    }
    settle().await;
    assert_eq!(
        (state(&client), network.attempts().len()),
        ("Connecting".into(), attempts + 1)
    );
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f40_reconnect_now_uses_the_old_connection_until_there_is_a_new_one() {
    let network = Network::new(Fate::Accept);
    let (client, old) = patient(&network).await;
    let before = ask(&client, "before");
    settle().await;
    network.now(Fate::Hang);
    for _ in 0..3 {
        client.reconnect_now().await;
    }
    settle().await;
    assert_eq!(
        (state(&client), network.attempts().len()),
        ("Connecting".into(), 2)
    );
    let between = ask(&client, "between");
    settle().await;
    assert_eq!(old.heard(), ["before", "between"]);
    old.say("BEFORE");
    assert_eq!(name(&outcome(before).await), "BEFORE");
    // The attempt fails, and the old one is used all the while.
    network.now(Fate::Accept);
    tokio::time::sleep(4 * SECOND).await;
    let still = ask(&client, "still");
    settle().await;
    assert_eq!(old.heard(), ["still"]);
    client.ready().await.expect("it connects");
    settle().await;
    let new = network.peer();
    let after = ask(&client, "after");
    settle().await;
    assert_eq!(
        (new.heard(), old.heard()),
        (vec!["after".to_owned()], vec![])
    );
    old.say("BETWEEN");
    old.say("STILL");
    assert_eq!(name(&outcome(between).await), "BETWEEN");
    assert_eq!(name(&outcome(still).await), "STILL");
    assert!(old.wire.is_shut());
    new.say("AFTER");
    assert_eq!(name(&outcome(after).await), "AFTER");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_that_is_lost_while_it_is_replaced_fails_its_own_requests_alone() {
    let network = Network::new(Fate::Accept);
    let (client, old) = patient(&network).await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    settle().await;
    let on_old = ask(&client, "a");
    settle().await;
    old.reset();
    assert_eq!(name(&outcome(on_old).await), "Unknown(Lost)");
    let waits = ask(&client, "b");
    settle().await;
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(waits).await), "B");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_that_goes_silent_or_drains_while_it_is_replaced_is_let_go() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default())
        .answer_timeout(3 * SECOND)
        .limit(60 * SECOND);
    let (client, old) = started(&network, settings).await;
    network.now(Fate::Refuse);
    client.reconnect_now().await;
    settle().await;
    let silent = ask(&client, "a");
    tokio::time::sleep(4 * SECOND).await;
    assert!(old.wire.is_closed());
    assert_eq!(name(&outcome(silent).await), "Unknown(Lost)");

    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    let old = network.peer();
    network.now(Fate::Refuse);
    client.reconnect_now().await;
    settle().await;
    let owed = ask(&client, "b");
    settle().await;
    old.say("drain");
    let waits = ask(&client, "c");
    settle().await;
    assert_eq!(old.heard(), ["b"]);
    old.say("B");
    assert_eq!(name(&outcome(owed).await), "B");
    assert!(old.wire.is_shut());
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(waits).await), "C");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_on_a_connection_is_awaited_through_further_replacements() {
    let network = Network::new(Fate::Accept);
    let (client, first) = patient(&network).await;
    let on_first = ask(&client, "a");
    settle().await;
    client.reconnect_now().await;
    settle().await;
    client.ready().await.expect("it connects");
    settle().await;
    let second = network.peer();
    let on_second = ask(&client, "b");
    settle().await;
    client.reconnect_now().await;
    settle().await;
    client.ready().await.expect("it connects");
    tokio::time::sleep(20 * SECOND).await;
    first.answer();
    second.answer();
    assert_eq!(name(&outcome(on_first).await), "A");
    assert_eq!(name(&outcome(on_second).await), "B");
    tokio::time::sleep(SECOND).await;
    assert!(first.wire.is_closed() && second.wire.is_closed());
    let counts = end(client).await;
    assert_eq!((counts.ups, counts.ok), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn of_nine_connections_that_were_replaced_and_still_owe_an_answer_the_oldest_is_given_up() {
    let network = Network::new(Fate::Accept);
    let (client, mut peer) = patient(&network).await;
    let (mut peers, mut asked) = (Vec::new(), Vec::new());
    for number in 0..9 {
        asked.push(ask(&client, &format!("n{number}")));
        settle().await;
        client.reconnect_now().await;
        client.ready().await.expect("it connects");
        peers.push(std::mem::replace(&mut peer, network.peer()));
    }
    settle().await;
    let mut told = Vec::new();
    for (peer, asked) in peers.iter().zip(asked) {
        peer.answer();
        told.push(name(&outcome(asked).await));
    }
    assert_eq!(told[0], "Unknown(Lost)");
    for (number, told) in told.iter().enumerate().skip(1) {
        assert_eq!(*told, format!("N{number}"));
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f42_a_connection_that_has_reached_its_greatest_age_is_replaced_without_a_gap() {
    let network = Network::new(Fate::Accept);
    let settings = builder(&network, Lines::default()).max_lifetime(100 * SECOND);
    let (client, mut peer) = started(&network, settings).await;
    let start = now();
    let mut ages = Vec::new();
    let mut made = start;
    while start.elapsed() < 1000 * SECOND {
        let asked = ask(&client, "a");
        settle().await;
        peer.answer();
        if network.has_peer() {
            peer = network.peer();
            ages.push(made.elapsed());
            made = now();
            peer.answer();
        }
        assert_eq!(name(&outcome(asked).await), "A");
        tokio::time::sleep(100 * MS).await;
    }
    assert!((10..=11).contains(&ages.len()), "{ages:?}");
    let fits = |age: &Duration| *age >= 90 * SECOND && *age <= 101 * SECOND;
    assert!(ages.iter().all(fits), "{ages:?}");
    assert!(
        ages.windows(2)
            .any(|pair| pair[0].abs_diff(pair[1]) > SECOND),
        "{ages:?}"
    );
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f36_shutdown_answers_what_is_in_flight_and_takes_nothing_more() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, Lines::default()).window(1)).await;
    let in_flight = ask(&client, "a");
    settle().await;
    let waits = ask(&client, "b");
    settle().await;
    let ends = {
        let client = client.clone();
        tokio::spawn(async move { client.shutdown(10 * SECOND).await })
    };
    settle().await;
    assert_eq!(state(&client), "Draining");
    assert_eq!(name(&outcome(waits).await), "NotSent(Stopping)");
    let late = client.call("c".to_owned()).await;
    assert_eq!(name(&late), "NotSent(Stopping)");
    tokio::time::sleep(3 * SECOND).await;
    assert!(!peer.wire.is_closed());
    peer.say("A");
    assert_eq!(name(&outcome(in_flight).await), "A");
    peer.wire.end();
    assert!(matches!(ends.await, Ok(ExitReason::Normal)));
    assert!(peer.wire.is_closed());
    let counts = end(client).await;
    assert_eq!((counts.ok, counts.not_sent), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn f36_a_peer_that_does_not_answer_is_left_at_the_deadline() {
    let network = Network::new(Fate::Accept);
    let (client, _peer) = connected(&network).await;
    let in_flight = ask(&client, "a");
    settle().await;
    let start = now();
    let reason = client.shutdown(2 * SECOND).await;
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert!(matches!(reason, ExitReason::Shutdown), "{reason}");
    assert_eq!(name(&outcome(in_flight).await), "Stopped(true)");
    assert_eq!(end(client).await.stopped, 1);
}

#[tokio::test(start_paused = true)]
async fn f36_a_peer_that_does_not_close_is_left_after_a_second() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let start = now();
    let reason = client.shutdown(10 * SECOND).await;
    assert!(matches!(reason, ExitReason::Normal), "{reason}");
    assert_eq!(start.elapsed(), SECOND);
    assert!(peer.wire.is_closed());
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f36_a_connection_that_is_lost_while_draining_ends_it() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let calls: Vec<_> = ["set", "get"].map(|line| ask(&client, line)).into();
    settle().await;
    let ends = {
        let client = client.clone();
        tokio::spawn(async move { client.shutdown(10 * SECOND).await })
    };
    settle().await;
    peer.reset();
    for call in calls {
        assert_eq!(name(&outcome(call).await), "Unknown(Lost)");
    }
    assert!(matches!(ends.await, Ok(ExitReason::Normal)));
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f36_what_is_in_flight_on_a_connection_that_was_replaced_is_awaited_too() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    let on_old = ask(&client, "a");
    settle().await;
    client.reconnect_now().await;
    settle().await;
    client.ready().await.expect("it connects");
    settle().await;
    let new = network.peer();
    let on_new = ask(&client, "b");
    settle().await;
    let ends = {
        let client = client.clone();
        tokio::spawn(async move { client.shutdown(10 * SECOND).await })
    };
    settle().await;
    new.say("B");
    assert_eq!(name(&outcome(on_new).await), "B");
    assert_eq!(state(&client), "Draining");
    old.say("A");
    assert_eq!(name(&outcome(on_old).await), "A");
    new.wire.end();
    assert!(matches!(ends.await, Ok(ExitReason::Normal)));
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f37_shutdown_stop_and_kill_in_each_state() {
    for (fate, hello, expected) in [
        (Fate::Refuse, None, "Disconnected"),
        (Fate::Hang, None, "Connecting"),
        (Fate::Accept, Some("hello"), "Handshaking"),
        (Fate::Accept, None, "Connected"),
    ] {
        for way in ["shutdown", "stop", "kill"] {
            let network = Network::new(fate);
            let lines = Lines {
                hello,
                ..Lines::default()
            };
            let client = builder(&network, lines).start();
            tokio::time::sleep(3 * MS).await;
            assert_eq!(state(&client), expected);
            let in_flight = ask(&client, "a");
            settle().await;
            let start = now();
            match way {
                "shutdown" => drop(client.shutdown(SECOND).await),
                "stop" => drop(client.stop().await),
                _ => {
                    client.kill();
                    client.closed().await;
                }
            }
            assert!(start.elapsed() <= SECOND, "{way} in {expected}");
            let sent = expected == "Connected";
            let told = name(&outcome(in_flight).await);
            match way {
                "shutdown" if !sent => assert_eq!(told, "NotSent(Stopping)", "{expected}"),
                _ => assert_eq!(told, format!("Stopped({sent})"), "{way} in {expected}"),
            }
            let late = client.call("late".to_owned()).await;
            assert_eq!(name(&late), "Stopped(false)");
            let counts = end(client).await;
            assert_eq!(counts.accepted, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f37_stop_while_a_write_is_blocked_and_a_connection_is_replaced() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    old.wire.accept(1);
    let partly = ask(&client, "a");
    let unsent = ask(&client, "b");
    settle().await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    settle().await;
    client.stop().await;
    assert_eq!(name(&outcome(partly).await), "Stopped(true)");
    assert_eq!(name(&outcome(unsent).await), "Stopped(false)");
    assert!(old.wire.is_closed());
    let counts = end(client).await;
    assert_eq!((counts.stopped, counts.not_sent), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_replaced_is_not_pinged() {
    let network = Network::new(Fate::Accept);
    let pings = Lines {
        pings: true,
        ..Lines::default()
    };
    let (client, old) = started(&network, builder(&network, pings)).await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    tokio::time::sleep(120 * SECOND).await;
    assert_eq!(old.heard(), Vec::<String>::new());
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_fails_does_not_end_a_client_that_stops_when_it_is_disconnected() {
    for drains in [false, true] {
        let network = Network::new(Fate::Accept);
        let settings = builder(&network, Lines::default())
            .stop_on_disconnect()
            .max_lifetime(60 * SECOND);
        let (client, old) = started(&network, settings).await;
        network.now(Fate::Refuse);
        tokio::time::sleep(70 * SECOND).await;
        assert_eq!(state(&client), "Disconnected");
        let asked = ask(&client, "a");
        settle().await;
        old.answer();
        assert_eq!(name(&outcome(asked).await), "A");
        // There is no other one: then it is the end.
        if drains {
            old.say("drain");
        } else {
            old.reset();
        }
        let reason = client.closed().await;
        assert!(matches!(reason, ExitReason::Other(_)), "{reason}");
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_replaced_says_goodbye_when_all_was_answered() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    let asked = ask(&client, "a");
    settle().await;
    client.reconnect_now().await;
    client.ready().await.expect("it connects");
    settle().await;
    assert!(!old.wire.is_shut());
    old.answer();
    assert_eq!(name(&outcome(asked).await), "A");
    assert!(old.wire.is_shut() && !old.wire.is_closed());
    old.wire.end();
    settle().await;
    assert!(old.wire.is_closed());
    // One that does not close its side is left after a second.
    let second = network.peer();
    client.reconnect_now().await;
    client.ready().await.expect("it connects");
    settle().await;
    assert!(second.wire.is_shut() && !second.wire.is_closed());
    tokio::time::sleep(SECOND).await;
    assert!(second.wire.is_closed());
    let counts = end(client).await;
    assert_eq!((counts.ups, counts.stray), (3, 0));
}
