//! Publishing and subscribing, across restarts of the server.

use std::time::Duration;

use statem::Backoff;
use statem_examples::redis_client::channels::Topic;
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::location::Location;
use statem_examples::redis_client::subscription::{News, Subscription};
use statem_examples::redis_client::value::Value;
use tokio::time::timeout;

use crate::redis_server::Server;
use crate::start;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn next(subscription: &mut Subscription) -> News {
    let news = timeout(10 * SECOND, subscription.next()).await;
    news.expect("news in time")
        .expect("the client has not ended")
}

pub(crate) async fn publish(redis: &Redis, channel: &str, payload: &str) -> i64 {
    match redis.call(["PUBLISH", channel, payload]).await {
        Ok(Ok(Value::Number(receivers))) => receivers,
        other => panic!("the answer is {other:?}"),
    }
}

/// Publishes on both channels, and sees that it comes in order.
async fn hears(redis: &Redis, subscription: &mut Subscription, round: usize) {
    for n in 0..100 {
        let payload = format!("{round}:{n}");
        assert_eq!(
            publish(redis, ["news", "weather"][n % 2], &payload).await,
            1
        );
    }
    for n in 0..100 {
        let News::Message(message) = next(subscription).await else {
            panic!("it is no message");
        };
        assert_eq!(message.channel, ["news", "weather"][n % 2]);
        assert_eq!(message.payload, format!("{round}:{n}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_survives_a_server_that_is_killed_twice() {
    for option in ["", "?protocol=resp2"] {
        let mut server = Server::start(&format!("published{}", option.len()));
        let url = format!("{}{option}", server.url());
        let backoff = Backoff::default().cap(SECOND / 2);
        let redis = start(&url, |client| client.backoff(backoff.clone()));
        let location: Location = url.parse().expect("it is a URL");
        let started = Subscription::start(&location, ["news", "weather"], |client| {
            client.backoff(backoff.clone())
        });
        let mut subscription = started.await.expect("it starts");
        assert!(matches!(next(&mut subscription).await, News::Up));
        hears(&redis, &mut subscription, 0).await;
        for round in 1..=2 {
            server.kill().await;
            assert!(matches!(next(&mut subscription).await, News::Down(_)));
            server.launch();
            assert!(matches!(next(&mut subscription).await, News::Up));
            redis.client().ready().await.expect("it has not ended");
            hears(&redis, &mut subscription, round).await;
        }
        let counts = subscription.client().counts();
        assert_eq!((counts.ups, counts.downs, counts.pushed), (3, 2, 300));
        drop(subscription);
        // The server sees it go, a moment later.
        let gone = async {
            while publish(&redis, "news", "anybody?").await > 0 {
                tokio::time::sleep(SECOND / 100).await;
            }
        };
        timeout(10 * SECOND, gone)
            .await
            .expect("nobody subscribes any more");
    }
}

/// The next message: its pattern, its channel and what it says.
pub(crate) async fn message(subscription: &mut Subscription) -> [String; 3] {
    let News::Message(message) = next(subscription).await else {
        panic!("it is no message");
    };
    let pattern = message.pattern.unwrap_or_default();
    [pattern, message.channel, message.payload]
        .map(|bytes| String::from_utf8(bytes.to_vec()).expect("it is text"))
}

/// How many subscribers a channel has, and how many patterns there are, as the server says.
pub(crate) async fn subscribers(redis: &Redis, channel: &str) -> (i64, i64) {
    let of_channel = redis.call(["PUBSUB", "NUMSUB", channel]).await;
    let Ok(Ok(Value::Array(words))) = of_channel else {
        panic!("{of_channel:?}");
    };
    let of_patterns = redis.call(["PUBSUB", "NUMPAT"]).await;
    match (&words[..], of_patterns) {
        ([_, Value::Number(count)], Ok(Ok(Value::Number(patterns)))) => (*count, patterns),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patterns_and_changes_hold_across_a_server_that_is_killed() {
    for option in ["", "?protocol=resp2"] {
        let mut server = Server::start(&format!("patterns{}", option.len()));
        let url = format!("{}{option}", server.url());
        let backoff = Backoff::default().cap(SECOND / 2);
        let redis = start(&url, |client| client.backoff(backoff.clone()));
        let location: Location = url.parse().expect("it is a URL");
        let topics = [Topic::from("weather"), Topic::pattern("news.*")];
        let started = Subscription::start(&location, topics, |client| client.backoff(backoff));
        let mut subscription = started.await.expect("it starts");
        assert!(matches!(next(&mut subscription).await, News::Up));
        assert_eq!(subscribers(&redis, "weather").await, (1, 1));
        assert_eq!(publish(&redis, "news.here", "a").await, 1);
        assert_eq!(publish(&redis, "news", "nobody hears it").await, 0);
        assert_eq!(publish(&redis, "weather", "b").await, 1);
        assert_eq!(
            message(&mut subscription).await,
            ["news.*", "news.here", "a"]
        );
        assert_eq!(message(&mut subscription).await, ["", "weather", "b"]);

        subscription.subscribe("sport").await.expect("it may");
        subscription
            .subscribe(Topic::pattern("s[op]*"))
            .await
            .expect("it may");
        subscription.unsubscribe("weather").await.expect("it may");
        assert_eq!(subscribers(&redis, "weather").await, (0, 2));
        assert_eq!(publish(&redis, "weather", "nobody hears it").await, 0);
        // Once by its name, and once by the pattern.
        assert_eq!(publish(&redis, "sport", "c").await, 2);
        assert_eq!(message(&mut subscription).await, ["", "sport", "c"]);
        assert_eq!(message(&mut subscription).await, ["s[op]*", "sport", "c"]);

        server.kill().await;
        assert!(matches!(next(&mut subscription).await, News::Down(_)));
        server.launch();
        assert!(matches!(next(&mut subscription).await, News::Up));
        redis.client().ready().await.expect("it has not ended");
        assert_eq!(subscribers(&redis, "weather").await, (0, 2));
        assert_eq!(subscribers(&redis, "sport").await, (1, 2));

        // To nothing at all, and on from there.
        subscription.unsubscribe("sport").await.expect("it may");
        for pattern in ["news.*", "s[op]*"] {
            let pattern = Topic::pattern(pattern);
            subscription.unsubscribe(pattern).await.expect("it may");
        }
        assert_eq!(subscribers(&redis, "sport").await, (0, 0));
        subscription.subscribe("weather").await.expect("it may");
        assert_eq!(publish(&redis, "weather", "d").await, 1);
        assert_eq!(message(&mut subscription).await, ["", "weather", "d"]);
    }
}

#[tokio::test]
async fn a_channel_that_the_user_may_not_hear_costs_nothing_but_itself() {
    let server = Server::start_with("forbidden", |_, _| {
        "--user bob on nopass resetchannels &open +@all ~*"
            .split(' ')
            .map(str::to_owned)
            .collect()
    });
    let anybody = start(&server.url(), |client| client);
    let url = format!("redis://bob:any@{}", server.address());
    let bob = start(&url, |client| client);
    let mut subscription = bob.subscribe(["open"]).await.expect("it starts");
    assert!(matches!(next(&mut subscription).await, News::Up));
    let told = subscription.subscribe("secret").await;
    let text = told.expect_err("it is forbidden").to_string();
    assert!(text.contains("NOPERM"), "{text}");
    assert_eq!(publish(&anybody, "secret", "a").await, 0);
    assert_eq!(publish(&anybody, "open", "b").await, 1);
    assert_eq!(message(&mut subscription).await, ["", "open", "b"]);
}
