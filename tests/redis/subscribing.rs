//! Publishing and subscribing, across restarts of the server.

use std::time::Duration;

use statem::Backoff;
use statem_examples::redis_client::client::{News, Redis, Subscription};
use statem_examples::redis_client::location::Location;
use statem_examples::redis_client::value::Value;
use tokio::time::timeout;

use crate::redis_server::Server;
use crate::start;

const SECOND: Duration = Duration::from_secs(1);

async fn next(subscription: &mut Subscription) -> News {
    let news = timeout(10 * SECOND, subscription.next()).await;
    news.expect("news in time")
        .expect("the client has not ended")
}

async fn publish(redis: &Redis, channel: &str, payload: &str) -> i64 {
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
        let started = Subscription::start(&location, &["news", "weather"], |client| {
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
