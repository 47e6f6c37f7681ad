//! What is published, and what becomes of a subscription.

use statem::Backoff;
use statem::Status;
use statem::net::ClientBuilder;
use statem::testing::Wire;
use tokio::time::sleep;

use super::{Network, SECOND, commands, pinged, settle};
use crate::redis_client::client::{News, Subscription};
use crate::redis_client::protocol::Message;

#[tokio::test(start_paused = true)]
async fn so_is_one_that_publishes_nothing_with_either_version() {
    let network = Network::default();
    let (subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    pinged(&server, "+PONG\r\n").await;
    drop(subscription);

    let network = Network::default();
    let location = network.location("redis://10.0.0.1?protocol=resp2");
    let started = Subscription::start(&location, &["a"], |client| client).await;
    let server = network.server().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a"]);
    server.send("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    server.send(message("a", "1").replacen('>', "*", 1));
    let mut subscription = started.expect("it starts");
    assert!(matches!(subscription.next().await, Some(News::Up)));
    assert!(is_message(subscription.next().await.as_ref(), "a", "1"));
    pinged(&server, "*2\r\n$4\r\npong\r\n$0\r\n\r\n").await;
}

async fn subscribed(network: &Network, url: &str) -> (Subscription, Wire) {
    let location = network.location(url);
    let settings =
        |client: ClientBuilder<_>| client.backoff(Backoff::default().cap(SECOND)).seed(1);
    let started = Subscription::start(&location, &["a", "b"], settings).await;
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a b"]);
    (started.expect("it starts"), server)
}

const CONFIRMED: &str = ">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+subscribe\r\n+b\r\n:2\r\n";

fn message(channel: &str, payload: &str) -> String {
    let (a, b) = (channel.len(), payload.len());
    format!(">3\r\n$7\r\nmessage\r\n${a}\r\n{channel}\r\n${b}\r\n{payload}\r\n")
}

fn is_message(news: Option<&News>, channel: &str, payload: &str) -> bool {
    matches!(news, Some(News::Message(Message { channel: c, payload: p })) if c == channel && p == payload)
}

#[tokio::test(start_paused = true)]
async fn a_subscription_comes_back_by_itself_and_shows_that_it_was_away() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    // What comes before all is confirmed is not told: nobody was promised it.
    server.send(format!(
        ">3\r\n+subscribe\r\n+a\r\n:1\r\n{}",
        message("a", "early")
    ));
    settle().await;
    let state = subscription.client().status();
    assert!(matches!(state, Status::Running("Handshaking")), "{state:?}");
    server.send(">3\r\n+subscribe\r\n+b\r\n:2\r\n");
    assert!(matches!(subscription.next().await, Some(News::Up)));
    server.send(message("a", "1") + &message("b", "2"));
    assert!(is_message(subscription.next().await.as_ref(), "a", "1"));
    assert!(is_message(subscription.next().await.as_ref(), "b", "2"));
    server.end();
    assert!(matches!(subscription.next().await, Some(News::Down(_))));
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a b"]);
    server.send(CONFIRMED);
    assert!(matches!(subscription.next().await, Some(News::Up)));
    server.send(message("a", "3"));
    assert!(is_message(subscription.next().await.as_ref(), "a", "3"));
    drop(subscription);
    settle().await;
    assert!(
        server.is_closed(),
        "the connection ends with the subscription"
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_is_too_slow_learns_how_much_it_has_missed() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    settle().await;
    for n in 0..1030 {
        server.send(message("a", &n.to_string()));
    }
    settle().await;
    assert!(matches!(subscription.next().await, Some(News::Up)));
    for n in 0..1023 {
        assert!(is_message(
            subscription.next().await.as_ref(),
            "a",
            &n.to_string()
        ));
    }
    let missed = subscription.next().await;
    assert!(matches!(missed, Some(News::Missed(7))), "{missed:?}");
    server.send(message("b", "on"));
    assert!(is_message(subscription.next().await.as_ref(), "b", "on"));
}

#[tokio::test(start_paused = true)]
async fn channels_that_are_forbidden_are_a_refusal() {
    let network = Network::default();
    let (subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send("-NOPERM No permissions to access a channel\r\n");
    sleep(SECOND).await;
    assert!(server.is_closed());
    assert_eq!(network.attempts().len(), 1);
    drop(subscription);
}
