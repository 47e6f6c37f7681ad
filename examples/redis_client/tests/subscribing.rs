//! What is published, and what becomes of a subscription.

use statem::Backoff;
use statem::Status;
use statem::net::ClientBuilder;
use statem::testing::Wire;
use tokio::time::{sleep, timeout};

use super::{Network, SECOND, commands, pinged, settle};
use crate::redis_client::channels::{Message, Topic};
use crate::redis_client::subscription::{News, Subscription};

#[tokio::test(start_paused = true)]
async fn so_is_one_that_publishes_nothing_with_either_version() {
    let network = Network::default();
    let (subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    pinged(&server, "+PONG\r\n").await;
    drop(subscription);

    let network = Network::default();
    let location = network.location("redis://10.0.0.1?protocol=resp2");
    let started = Subscription::start(&location, ["a"], |client| client).await;
    let server = network.server().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a"]);
    server.send("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    server.send(message("a", "1").replacen('>', "*", 1));
    let mut subscription = started.expect("it starts");
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    assert!(is_message(next(&mut subscription).await.as_ref(), "a", "1"));
    pinged(&server, "*2\r\n$4\r\npong\r\n$0\r\n\r\n").await;
}

async fn subscribed(network: &Network, url: &str) -> (Subscription, Wire) {
    let location = network.location(url);
    let settings =
        |client: ClientBuilder<_>| client.backoff(Backoff::default().cap(SECOND)).seed(1);
    let started = Subscription::start(&location, ["a", "b"], settings).await;
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a b"]);
    (started.expect("it starts"), server)
}

/// The next news. Nothing of a test takes a minute.
async fn next(subscription: &mut Subscription) -> Option<News> {
    let news = timeout(60 * SECOND, subscription.next()).await;
    news.expect("news in time")
}

const CONFIRMED: &str = ">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+subscribe\r\n+b\r\n:2\r\n";

fn message(channel: &str, payload: &str) -> String {
    let (a, b) = (channel.len(), payload.len());
    format!(">3\r\n$7\r\nmessage\r\n${a}\r\n{channel}\r\n${b}\r\n{payload}\r\n")
}

fn is_message(news: Option<&News>, channel: &str, payload: &str) -> bool {
    matches!(
        news,
        Some(News::Message(Message { pattern: None, channel: c, payload: p }))
            if c == channel && p == payload
    )
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
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    server.send(message("a", "1") + &message("b", "2"));
    assert!(is_message(next(&mut subscription).await.as_ref(), "a", "1"));
    assert!(is_message(next(&mut subscription).await.as_ref(), "b", "2"));
    server.end();
    assert!(matches!(next(&mut subscription).await, Some(News::Down(_))));
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a b"]);
    server.send(CONFIRMED);
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    server.send(message("a", "3"));
    assert!(is_message(next(&mut subscription).await.as_ref(), "a", "3"));
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
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    for n in 0..1023 {
        assert!(is_message(
            next(&mut subscription).await.as_ref(),
            "a",
            &n.to_string()
        ));
    }
    let missed = next(&mut subscription).await;
    assert!(matches!(missed, Some(News::Missed(7))), "{missed:?}");
    server.send(message("b", "on"));
    assert!(is_message(
        next(&mut subscription).await.as_ref(),
        "b",
        "on"
    ));
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

/// What a server says of a subscription: that it is one, or is none any more.
fn confirms(kind: &str, name: &str) -> String {
    format!(">3\r\n+{kind}\r\n+{name}\r\n:1\r\n")
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_pattern_says_which_one() {
    let network = Network::default();
    let location = network.location("redis://10.0.0.1");
    let topics = [Topic::pattern("n*"), Topic::from("a"), Topic::pattern("m?")];
    let started = Subscription::start(&location, topics, |client| client).await;
    let mut subscription = started.expect("it starts");
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a", "PSUBSCRIBE m? n*"]);
    server.send(confirms("subscribe", "a") + &confirms("psubscribe", "m?"));
    settle().await;
    let state = subscription.client().status();
    assert!(matches!(state, Status::Running("Handshaking")), "{state:?}");
    server.send(confirms("psubscribe", "n*"));
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    server.send(">4\r\n+pmessage\r\n+n*\r\n+news\r\n+1\r\n");
    let Some(News::Message(message)) = next(&mut subscription).await else {
        panic!("it is no message");
    };
    assert_eq!(
        message,
        Message {
            pattern: Some("n*".into()),
            channel: "news".into(),
            payload: "1".into()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_subscribed_to_changes_at_once_and_holds_for_the_next_connection() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    let change = async {
        subscription.subscribe(Topic::pattern("n*")).await?;
        subscription.subscribe("c").await?;
        subscription.unsubscribe("a").await
    };
    let confirm = async {
        for (command, kind, name) in [
            ("PSUBSCRIBE n*", "psubscribe", "n*"),
            ("SUBSCRIBE c", "subscribe", "c"),
            ("UNSUBSCRIBE a", "unsubscribe", "a"),
        ] {
            settle().await;
            assert_eq!(commands(&server), [command]);
            // What is published meanwhile is no answer.
            server.send(message("b", command) + &confirms(kind, name));
        }
    };
    let (changed, ()) = tokio::join!(change, confirm);
    changed.expect("the server has nothing against it");
    for command in ["PSUBSCRIBE n*", "SUBSCRIBE c", "UNSUBSCRIBE a"] {
        assert!(is_message(
            next(&mut subscription).await.as_ref(),
            "b",
            command
        ));
    }
    server.end();
    assert!(matches!(next(&mut subscription).await, Some(News::Down(_))));
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE b c", "PSUBSCRIBE n*"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_nobody_waits_for_holds_from_the_next_connection_on() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    // There is no connection yet, so it waits.
    assert!(timeout(SECOND, subscription.subscribe("c")).await.is_err());
    assert!(
        timeout(SECOND, subscription.unsubscribe("a"))
            .await
            .is_err()
    );
    server.end();
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE b c"]);
    server.send(CONFIRMED);
    settle().await;
    assert_eq!(commands(&server), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_connection_is_lost_is_made_on_the_next_one() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    let lose = async {
        settle().await;
        assert_eq!(commands(&server), ["SUBSCRIBE c"]);
        server.end();
        let server = network.greeted().await;
        assert_eq!(commands(&server), ["SUBSCRIBE a b c"]);
        server.send(confirms("subscribe", "a") + CONFIRMED);
        settle().await;
        assert_eq!(commands(&server), ["SUBSCRIBE c"]);
        server.send(confirms("subscribe", "c"));
    };
    let (changed, ()) = tokio::join!(subscription.subscribe("c"), lose);
    changed.expect("the server has nothing against it");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_forbidden_costs_nothing_but_itself() {
    let network = Network::default();
    let (mut subscription, server) = subscribed(&network, "redis://10.0.0.1").await;
    server.send(CONFIRMED);
    assert!(matches!(next(&mut subscription).await, Some(News::Up)));
    let refuse = async {
        settle().await;
        assert_eq!(commands(&server), ["SUBSCRIBE secret"]);
        server.send("-NOPERM No permissions to access a channel\r\n");
    };
    let (told, ()) = tokio::join!(subscription.subscribe("secret"), refuse);
    let text = told.expect_err("it is forbidden").to_string();
    assert!(text.contains("NOPERM"), "{text}");
    server.send(message("a", "1"));
    assert!(is_message(next(&mut subscription).await.as_ref(), "a", "1"));
    server.end();
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["SUBSCRIBE a b"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_to_nothing_is_a_connection_that_waits() {
    for (protocol, greeting, pong) in [
        ("", "HELLO 3", "+PONG\r\n"),
        ("?protocol=resp2", "PING", "+PONG\r\n"),
    ] {
        let network = Network::default();
        let location = network.location(&format!("redis://10.0.0.1{protocol}"));
        let nothing: [&str; 0] = [];
        let started = Subscription::start(&location, nothing, |client| client).await;
        let mut subscription = started.expect("it starts");
        let server = network.server().await;
        assert_eq!(commands(&server), [greeting]);
        if greeting != "PING" {
            server.send(super::GREETING);
            settle().await;
            assert_eq!(commands(&server), ["PING"]);
        }
        server.send(pong);
        assert!(matches!(next(&mut subscription).await, Some(News::Up)));
        let confirm = async {
            settle().await;
            assert_eq!(commands(&server), ["SUBSCRIBE a"]);
            server.send(confirms("subscribe", "a").replacen('>', "*", 1));
        };
        let (changed, ()) = tokio::join!(subscription.subscribe("a"), confirm);
        changed.expect("the server has nothing against it");
    }
}
