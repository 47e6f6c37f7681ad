//! What `ready` and `reconnect_now` promise.

use statem::net::Policy;
use tokio::time::timeout;

use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, builder, connected, end, name, outcome, settle, started,
    state,
};

#[tokio::test(start_paused = true)]
async fn n9_who_was_told_that_the_connection_is_lost_does_not_find_it_ready() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let asked = ask(&client, "a");
    settle().await;
    network.now(Fate::Hang);
    peer.reset();
    let told = asked.await.expect("nobody panics");
    assert_eq!(name(&told), "Unknown(Lost)");
    assert!(timeout(SECOND, client.ready()).await.is_err());
    network.now(Fate::Accept);
    client.ready().await.expect("it connects again");
    assert_eq!(state(&client), "Connected");
    assert_eq!(end(client).await.ups, 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_right_after_ready_is_as_if_it_had_broken_later() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    // The client cannot know yet.
    peer.reset();
    client.ready().await.expect("it was connected");
    let fails = client.call("a".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&fails), "NotSent(Disconnected)");
    client.ready().await.expect("it connects again");
    let second = network.peer();
    second.reset();
    client.ready().await.expect("it was connected");
    let waits = ask(&client, "b");
    settle().await;
    client.ready().await.expect("it connects once more");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(waits).await), "B");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_and_goes_unseen_is_not_reported() {
    let network = Network::new(Fate::Reset);
    let client = builder(&network, Lines::default()).start();
    assert!(timeout(100 * MS, client.ready()).await.is_err() || state(&client) == "Connected");
    while client.counts().ups < 3 {
        settle().await;
    }
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    assert_eq!(state(&client), "Connected");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f40_after_reconnect_now_ready_waits_for_the_other_connection() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    assert_eq!(state(&client), "Connecting");
    assert!(timeout(SECOND, client.ready()).await.is_err());
    // Calls are answered on the old one meanwhile.
    let between = ask(&client, "between");
    settle().await;
    old.answer();
    assert_eq!(name(&outcome(between).await), "BETWEEN");
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    let after = ask(&client, "after");
    settle().await;
    assert_eq!(network.peer().answer(), 1);
    assert_eq!(name(&outcome(after).await), "AFTER");
    assert_eq!(end(client).await.ups, 2);
}

#[tokio::test(start_paused = true)]
async fn f40_however_often_another_connection_is_asked_for_while_one_is_made_it_is_made_once() {
    for hello in [None, Some("hello")] {
        let network = Network::new(Fate::Hang);
        let lines = Lines {
            hello,
            ..Lines::default()
        };
        let settings = builder(&network, lines);
        let client = settings.start();
        settle().await;
        for _ in 0..3 {
            client.reconnect_now().await;
        }
        assert_eq!(
            (state(&client), network.attempts().len()),
            ("Connecting".into(), 1)
        );
        // The attempt hangs up to its limit; the next one connects.
        network.now(Fate::Accept);
        while !network.has_peer() {
            settle().await;
        }
        let peer = network.peer();
        if hello.is_some() {
            settle().await;
            assert_eq!(state(&client), "Handshaking");
            for _ in 0..3 {
                client.reconnect_now().await;
            }
            peer.say("welcome");
        }
        client.ready().await.expect("it connects");
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(
            (state(&client), network.attempts().len()),
            ("Connected".into(), 2)
        );
        let counts = end(client).await;
        assert_eq!((counts.ups, counts.connects), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn f40_asked_of_a_client_that_has_ended_it_returns_at_once() {
    let network = Network::new(Fate::Accept);
    let (client, _peer) = connected(&network).await;
    client.stop().await;
    client.reconnect_now().await;
    assert_eq!(network.attempts().len(), 1);
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f41_an_endpoint_that_does_not_do_comes_after_the_other_one() {
    // What the first endpoint does, and how the next attempt begins.
    for (hello, says) in [
        (None, None),
        (Some("impossible"), None),
        (Some("hello"), Some("sorry")),
        (Some("hello"), Some("no")),
    ] {
        let network = Network::new(Fate::Accept);
        let lines = Lines {
            hello,
            ..Lines::default()
        };
        let two = network.connector().or("127.0.0.1:4001");
        let client = statem::net::Client::builder(lines, two).seed(1).start();
        while !network.has_peer() {
            settle().await;
        }
        let peer = network.peer();
        settle().await;
        match (hello, says) {
            (None, _) => peer.reset(),
            (_, Some(word)) => peer.say(word),
            // It has failed by itself.
            _ => {}
        }
        while network.ports().len() < 2 {
            settle().await;
        }
        assert_eq!(network.ports(), [4000, 4001], "{hello:?} {says:?}");
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn f41_a_connection_that_lived_long_enough_is_not_held_against_its_endpoint() {
    let network = Network::new(Fate::Accept);
    let two = network.connector().or("127.0.0.1:4001");
    let client = statem::net::Client::builder(Lines::default(), two).seed(1);
    let (client, peer) = started(&network, client).await;
    tokio::time::sleep(10 * SECOND + MS).await;
    peer.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    assert_eq!(network.ports(), [4000, 4000]);
    end(client).await;
}
