//! The start, the handshake, and what a caller sees of a peer that is not there.

use std::error::Error;
use std::time::Duration;

use statem::ExitReason;
use statem::net::{Lost, NotSent, Policy, RequestError};

use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, builder, connected, end, name, now, outcome, settle,
    started, state, until,
};

#[tokio::test(start_paused = true)]
pub(crate) async fn f01_start_needs_no_network_and_calls_are_answered_without_one() {
    let network = Network::new(Fate::Refuse);
    let start = now();
    let client = builder(&network, Lines::default()).start();
    assert_eq!(start.elapsed(), Duration::ZERO);
    settle().await;
    let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
    let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = &failed else {
        panic!("{failed:?}");
    };
    assert!(matches!(**lost, Lost::Connect(_)), "{lost}");
    assert!(start.elapsed() < 10 * MS);
    let waits = client.call("b".to_owned()).limit(SECOND).await;
    assert_eq!(name(&waits), "NotSent(TimedOut)");
    assert_eq!(start.elapsed(), SECOND + MS);

    // What waits when the peer comes is sent.
    let asked = ask(&client, "c");
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    assert_eq!(network.peer().answer(), 1);
    assert_eq!(name(&outcome(asked).await), "C");
    assert_eq!(end(client).await.ok, 1);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f01_a_caller_that_does_not_wait_learns_that_there_was_no_connection_yet() {
    let network = Network::new(Fate::Hang);
    let client = builder(&network, Lines::default())
        .policy(Policy::FailFast)
        .start();
    let failed = client.call("a".to_owned()).await;
    let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = &failed else {
        panic!("{failed:?}");
    };
    assert!(matches!(**lost, Lost::NotYet), "{lost}");
    let counts = end(client).await;
    assert_eq!((counts.connects_abandoned, counts.not_sent), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn f01_until_when_a_caller_waits_is_his_choice_with_and_without_a_connection() {
    for (fate, expected) in [
        (Fate::Refuse, "NotSent(TimedOut)"),
        (Fate::Accept, "Unknown(TimedOut)"),
    ] {
        let network = Network::new(fate);
        let client = builder(&network, Lines::default()).limit(SECOND).start();
        settle().await;
        let deadline = now() + 3 * SECOND;
        let told = client.call("a".to_owned()).deadline(deadline).await;
        assert_eq!(name(&told), expected);
        assert!((deadline..=deadline + MS).contains(&now()));
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn f05_the_client_answers_while_an_attempt_hangs() {
    let network = Network::new(Fate::Hang);
    let client = builder(&network, Lines::default()).start();
    settle().await;
    for _ in 0..100 {
        let start = now();
        let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
        assert_eq!(name(&failed), "NotSent(Disconnected)");
        assert_eq!(start.elapsed(), Duration::ZERO);
        tokio::time::sleep(100 * MS).await;
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f06_a_peer_that_is_silent_in_the_handshake_is_left_and_the_delays_grow() {
    let network = Network::new(Fate::Accept);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).handshake_timeout(SECOND).start();
    tokio::time::sleep(120 * SECOND).await;
    let attempts = network.attempts();
    let waits: Vec<_> = attempts
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).saturating_sub(SECOND))
        .collect();
    // The delays are random; that they grow shows in their sums.
    let half = waits.len() / 2;
    let sum = |waits: &[Duration]| waits.iter().sum::<Duration>();
    assert!(sum(&waits[half..]) > 2 * sum(&waits[..half]), "{waits:?}");
    let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
    let failed = failed.expect_err("nobody greets");
    assert!(failed.to_string().contains("handshake"), "{failed}");
    assert_eq!(end(client).await.ups, 0);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn f07_a_peer_that_refuses_is_asked_again_at_most_once_in_the_longest_delay() {
    let network = Network::new(Fate::Accept);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).start();
    for _ in 0..4 {
        until(|| network.has_peer()).await;
        let peer = network.peer();
        settle().await;
        // And nothing that was meant for the connection before.
        assert_eq!(peer.heard(), ["hello"]);
        peer.say("no");
        settle().await;
        assert!(peer.wire.is_closed());
    }
    let attempts = network.attempts();
    for pair in attempts.windows(2) {
        let wait = pair[1].duration_since(pair[0]);
        assert!(wait >= 30 * SECOND && wait <= 61 * SECOND, "{wait:?}");
    }
    let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
    let said = failed.expect_err("it is refused").to_string();
    assert!(said.contains("wrong password"), "{said}");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f07_a_client_may_stop_when_it_is_refused() {
    let network = Network::new(Fate::Accept);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).stop_when_refused().start();
    let asked = ask(&client, "a");
    settle().await;
    network.peer().say("no");
    let ExitReason::Other(why) = client.closed().await else {
        panic!("it stops with an error");
    };
    assert!(why.to_string().contains("wrong password"), "{why}");
    assert_eq!(name(&outcome(asked).await), "Stopped(false)");
    assert_eq!(end(client).await.not_sent, 1);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn the_handshake_may_take_several_frames_and_what_comes_with_the_last_is_not_lost()
{
    let network = Network::new(Fate::Accept);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).start();
    let asked = ask(&client, "a");
    settle().await;
    let peer = network.peer();
    assert_eq!(
        (peer.heard(), state(&client)),
        (vec!["hello".to_owned()], "Handshaking".into())
    );
    peer.say("who");
    settle().await;
    assert_eq!(peer.heard(), ["me"]);
    peer.wire.send("welcome\n?x\n");
    settle().await;
    assert_eq!(
        (peer.heard(), state(&client)),
        (vec!["a".to_owned(), "=x".to_owned()], "Connected".into())
    );
    peer.say("A");
    assert_eq!(name(&outcome(asked).await), "A");
    end(client).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_handshake_that_fails_is_tried_again_soon() {
    let network = Network::new(Fate::Accept);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).start();
    settle().await;
    network.peer().say("not now");
    tokio::time::sleep(200 * MS).await;
    // This one hangs up.
    network.peer().wire.end();
    tokio::time::sleep(400 * MS).await;
    network.peer().say("welcome");
    client.ready().await.expect("the third time it works");
    let counts = end(client).await;
    assert_eq!((counts.connects, counts.ups), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_greeting_that_cannot_be_made_or_written_is_a_failed_attempt() {
    for (hello, why) in [
        ("impossible", "no such greeting"),
        (
            "of two\nlines",
            "the handshake failed: max line length exceeded",
        ),
    ] {
        let network = Network::new(Fate::Accept);
        let lines = Lines {
            hello: Some(hello),
            ..Lines::default()
        };
        let client = builder(&network, lines).start();
        settle().await;
        let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
        let failed = failed.expect_err("nothing can be said").to_string();
        assert!(failed.contains(why), "{failed}");
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_may_stop_when_it_is_disconnected() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default())
        .stop_on_disconnect()
        .start();
    let ExitReason::Other(why) = client.ready().await.expect_err("nobody is there") else {
        panic!("it stops with an error");
    };
    assert!(why.source().is_some() || !why.to_string().is_empty());
    assert_eq!(end(client).await.connects_failed, 1);

    network.now(Fate::Accept);
    let builder = builder(&network, Lines::default()).stop_on_disconnect();
    let (client, peer) = started(&network, builder).await;
    let asked = ask(&client, "a");
    settle().await;
    peer.reset();
    assert_eq!(name(&outcome(asked).await), "Unknown(Lost)");
    assert!(matches!(client.closed().await, ExitReason::Other(_)));
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_handles_ends() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let closed = client.closed();
    let asked = ask(&client, "a");
    settle().await;
    drop(client);
    settle().await;
    assert!(!peer.wire.is_closed(), "a call in flight keeps it alive");
    peer.answer();
    assert_eq!(name(&outcome(asked).await), "A");
    assert!(matches!(closed.await, ExitReason::Normal));
    assert!(peer.wire.is_closed());
}
