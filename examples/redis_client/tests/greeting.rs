//! What is said when a connection is made, and what becomes of a refusal.

use statem::net::{Lost, NotSent, Policy, RequestError};
use statem::testing::Wire;
use tokio::time::sleep;

use super::{GREETING, Network, SECOND, commands, settle};
use crate::redis_client::client::Redis;

/// Plays a greeting: each command that must come, and what is answered to it.
async fn greet(url: &str, steps: &[(&str, &str)]) -> (Network, Redis, Wire) {
    let network = Network::default();
    let redis = network.redis(url);
    let server = network.server().await;
    for (command, answer) in steps {
        assert_eq!(commands(&server), [*command], "{url}");
        server.send(answer);
        settle().await;
    }
    (network, redis, server)
}

#[tokio::test(start_paused = true)]
async fn a_greeting_says_what_the_url_says() {
    let unknown = "-ERR unknown command `HELLO`, with args beginning with: `3`,\r\n";
    for (url, steps) in [
        ("redis://10.0.0.1", &[("HELLO 3", GREETING)][..]),
        (
            "redis://:pw@10.0.0.1",
            &[("HELLO 3 AUTH default pw", GREETING)],
        ),
        (
            "redis://me:pw@10.0.0.1/3",
            &[("HELLO 3 AUTH me pw", GREETING), ("SELECT 3", "+OK\r\n")],
        ),
        // Servers that know no version 3.
        (
            "redis://10.0.0.1",
            &[("HELLO 3", unknown), ("PING", "+PONG\r\n")],
        ),
        (
            "redis://me:pw@10.0.0.1/3",
            &[
                (
                    "HELLO 3 AUTH me pw",
                    "-NOPROTO unsupported protocol version\r\n",
                ),
                ("AUTH me pw", "+OK\r\n"),
                ("SELECT 3", "+OK\r\n"),
            ],
        ),
        (
            "redis://:pw@10.0.0.1?protocol=resp2",
            &[("AUTH pw", "+OK\r\n")],
        ),
        (
            "redis://10.0.0.1/3?protocol=resp2",
            &[("SELECT 3", "+OK\r\n")],
        ),
        ("redis://10.0.0.1?protocol=resp2", &[("PING", "+PONG\r\n")]),
    ] {
        let (_, redis, server) = greet(url, steps).await;
        redis.client().ready().await.expect("it is connected");
        // The next connection begins from the beginning.
        server.end();
        drop(redis);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_is_asked_again_once_in_a_long_time() {
    for (url, steps) in [
        (
            "redis://:pw@10.0.0.1",
            &[(
                "HELLO 3 AUTH default pw",
                "-WRONGPASS invalid username-password pair\r\n",
            )][..],
        ),
        (
            "redis://10.0.0.1",
            &[(
                "HELLO 3",
                "-NOAUTH HELLO must be called with the client already authenticated\r\n",
            )],
        ),
        (
            "redis://:pw@10.0.0.1?protocol=resp2",
            &[("AUTH pw", "-ERR invalid password\r\n")],
        ),
        (
            "redis://10.0.0.1/99?protocol=resp2",
            &[("SELECT 99", "-ERR DB index is out of range\r\n")],
        ),
    ] {
        let (network, redis, _server) = greet(url, steps).await;
        let told = redis.call(["GET", "a"]).policy(Policy::FailFast).await;
        assert!(
            matches!(
                &told,
                Err(RequestError::NotSent(NotSent::Disconnected(lost))) if lost.is_permanent()
            ),
            "{url}: {told:?}"
        );
        let _second = network.server().await;
        let attempts = network.attempts();
        let [first, second] = attempts[..] else {
            panic!("{url}: {attempts:?}")
        };
        // The cap of the back-off is 30 s.
        let apart = second - first;
        assert!(
            apart >= 30 * SECOND && apart <= 61 * SECOND,
            "{url}: {apart:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_is_no_refusal() {
    let full = "-ERR max number of clients reached\r\n";
    let (network, redis, _server) = greet("redis://10.0.0.1", &[("HELLO 3", full)]).await;
    let told = redis.call(["GET", "a"]).policy(Policy::FailFast).await;
    let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = &told else {
        panic!("{told:?}")
    };
    assert!(matches!(**lost, Lost::Handshake(_)), "{lost}");
    assert!(lost.to_string().contains("max number of clients"), "{lost}");
    sleep(SECOND).await;
    assert!(network.attempts().len() > 1);
}
