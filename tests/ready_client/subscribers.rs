//! Those who are told of what the peer sends unasked, and of connections.

use std::pin::Pin;

use futures_core::Stream;
use statem::net::{FeedStream, Notice};

use crate::support::{Fate, Network, SECOND, ask, connected, end, settle};

async fn next(stream: &mut FeedStream<Notice<String>>) -> String {
    let notice = std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx));
    let notice = tokio::time::timeout(SECOND, notice)
        .await
        .expect("it is told");
    match notice {
        None => "end".to_owned(),
        Some(Notice::Item(item)) => item.to_string(),
        Some(Notice::Missed(count)) => format!("missed {count}"),
        Some(Notice::Up) => "up".to_owned(),
        Some(Notice::Down(_)) => "down".to_owned(),
        Some(other) => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn subscribers_see_what_is_pushed_and_every_reconnection() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let mut early = client.subscribe(8).await;
    assert_eq!(next(&mut early).await, "up");
    peer.say("!one");
    assert_eq!(next(&mut early).await, "!one");
    let mut late = client.subscribe(8).await;
    assert_eq!(next(&mut late).await, "up");
    peer.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    network.peer().say("!two");
    for stream in [&mut early, &mut late] {
        for expected in ["down", "up", "!two"] {
            assert_eq!(next(stream).await, expected);
        }
    }
    assert_eq!(end(client).await.pushed, 2);
    assert_eq!(next(&mut early).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_misses_nothing_that_is_pushed_once_it_has_subscribed() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    // Each time the machine has slept before.
    for _ in 0..10 {
        settle().await;
        let mut stream = client.subscribe(8).await;
        peer.say("!at once");
        for expected in ["up", "!at once"] {
            assert_eq!(next(&mut stream).await, expected);
        }
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_replaced_goes_down_before_the_next_one_is_up() {
    let network = Network::new(Fate::Accept);
    let (client, _old) = connected(&network).await;
    let mut stream = client.subscribe(8).await;
    client.reconnect_now().await;
    settle().await;
    settle().await;
    for expected in ["up", "down", "up"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f38_what_is_pushed_around_a_drain_in_the_same_segment_is_delivered() {
    // Whether the drained connection owes an answer, and whether it was a good one by then.
    for (owes, good) in [(false, false), (false, true), (true, false), (true, true)] {
        for ends in [false, true] {
            let network = Network::new(Fate::Accept);
            let (client, peer) = connected(&network).await;
            let mut stream = client.subscribe(8).await;
            if good {
                tokio::time::sleep(11 * SECOND).await;
            }
            let asked = owes.then(|| ask(&client, "a"));
            settle().await;
            peer.wire.send("!one\ndrain\n!two\n!three\n");
            if ends {
                peer.wire.end();
            }
            for expected in ["up", "!one", "down", "!two", "!three", "up"] {
                assert_eq!(next(&mut stream).await, expected, "{owes} {good} {ends}");
            }
            drop(asked);
            end(client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_is_told_how_many_it_has_missed_and_delays_nobody() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let mut slow = client.subscribe(2).await;
    let mut fast = client.subscribe(64).await;
    settle().await;
    for number in 0..10 {
        peer.say(&format!("!{number}"));
    }
    settle().await;
    for expected in ["up", "!0"] {
        assert_eq!(next(&mut slow).await, expected);
    }
    settle().await;
    // There was room again, so it is told without a further item.
    assert_eq!(next(&mut slow).await, "missed 9");
    peer.say("!10");
    assert_eq!(next(&mut slow).await, "!10");
    assert_eq!(next(&mut fast).await, "up");
    for number in 0..=10 {
        assert_eq!(next(&mut fast).await, format!("!{number}"));
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_has_gone_is_forgotten() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    for _ in 0..100 {
        drop(client.subscribe(1).await);
    }
    settle().await;
    let inspection = client.inspect().await.expect("it answers");
    assert_eq!(inspection.sources.len(), 1, "the link alone");
    peer.say("!one");
    settle().await;
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_to_a_client_that_has_ended_ends() {
    let network = Network::new(Fate::Accept);
    let (client, _peer) = connected(&network).await;
    client.stop().await;
    let mut stream = client.subscribe(1).await;
    assert_eq!(next(&mut stream).await, "end");
    client.reconnect_now().await;
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_while_a_connection_is_replaced_is_told_that_there_is_one() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    network.now(Fate::Refuse);
    client.reconnect_now().await;
    settle().await;
    let mut stream = client.subscribe(8).await;
    assert_eq!(next(&mut stream).await, "up");
    old.say("!one");
    assert_eq!(next(&mut stream).await, "!one");
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    for expected in ["down", "up"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    end(client).await;
}
