//! The ways to reach a Redis and to speak with it.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use statem::Backoff;
use statem::ExitReason;
use statem::net::{Lost, NotSent, Policy, RequestError};
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::location::Location;
use statem_examples::redis_client::value::{Command, ServerError, Value};
use tokio::time::{sleep, timeout};

use crate::redis_server::Server;
use crate::{settled, start};

const SECOND: Duration = Duration::from_secs(1);

fn data(text: &'static str) -> Value {
    Value::Data(Bytes::from_static(text.as_bytes()))
}

async fn ask(redis: &Redis, command: impl Into<Command>) -> Value {
    let outcome = redis.call(command).await;
    outcome
        .expect("an answer")
        .expect("no error of the server's")
}

async fn refused(redis: &Redis, command: impl Into<Command>) -> ServerError {
    let outcome = redis.call(command).await;
    outcome
        .expect("an answer")
        .expect_err("an error of the server's")
}

/// A conversation in which every kind of answer comes.
async fn talk(redis: &Redis, version: u8) {
    assert_eq!(ask(redis, ["FLUSHDB"]).await, data("OK"));
    assert_eq!(ask(redis, ["GET", "key"]).await, Value::Nil);
    let long = "x".repeat(100_000);
    assert_eq!(ask(redis, ["SET", "long", &long]).await, data("OK"));
    assert_eq!(ask(redis, ["GET", "long"]).await, Value::Data(long.into()));
    let binary = [&b"SET"[..], b"key", b"\r\n$-1\r\n\x00\xff"];
    assert_eq!(ask(redis, binary).await, data("OK"));
    let got = ask(redis, ["GET", "key"]).await;
    assert_eq!(got, Value::Data(Bytes::from_static(binary[2])));
    assert!(refused(redis, ["INCR", "key"]).await.is("ERR"));
    assert!(refused(redis, ["HGET", "key", "a"]).await.is("WRONGTYPE"));
    let keys = (0..200).map(|n| Command::from(["INCRBY", "n", &n.to_string()]));
    let mut sum = 0;
    for (n, outcome) in (0..).zip(redis.pipeline(keys).await) {
        sum += n;
        assert_eq!(outcome.expect("an answer"), Ok(Value::Number(sum)));
    }
    assert_eq!(
        ask(redis, ["HSET", "hash", "a", "1"]).await,
        Value::Number(1)
    );
    let pair = (data("a"), data("1"));
    let hash = match version {
        2 => Value::Array(vec![pair.0, pair.1]),
        _ => Value::Map(vec![pair]),
    };
    assert_eq!(
        ask(redis, ["HGETALL", "hash"]).await,
        hash,
        "version {version}"
    );
    let script = "return {1, redis.call('GET', 'none'), {redis.error_reply('ERR a')}}";
    let answer = ask(redis, ["EVAL", script, "0"]).await;
    let inner = Value::Array(vec![Value::Error(ServerError::from("ERR a"))]);
    assert_eq!(
        answer,
        Value::Array(vec![Value::Number(1), Value::Nil, inner])
    );
    settled(redis).await;
}

#[tokio::test]
async fn in_both_versions_of_the_protocol_and_in_any_database() {
    let server = Server::start("versions");
    let url = server.url();
    talk(&start(&url, |client| client), 3).await;
    talk(&start(&format!("{url}?protocol=resp2"), |client| client), 2).await;
    let third = start(&format!("{url}/3"), |client| client);
    talk(&third, 3).await;
    assert_eq!(ask(&third, ["SET", "key", "3"]).await, data("OK"));
    let first = start(&format!("{url}/0?protocol=resp2"), |client| client);
    talk(&first, 2).await;
    assert_ne!(ask(&first, ["GET", "key"]).await, data("3"));
    assert_eq!(ask(&third, ["GET", "key"]).await, data("3"));
}

#[tokio::test]
async fn on_a_unix_socket() {
    let mut socket = PathBuf::new();
    let _server = Server::start_with("unix", |folder, _| {
        socket = folder.join("redis.sock");
        vec!["--unixsocket".into(), socket.display().to_string()]
    });
    let url = format!("unix://{}", socket.display());
    talk(&start(&url, |client| client), 3).await;
    talk(
        &start(&format!("{url}?db=1&protocol=resp2"), |client| client),
        2,
    )
    .await;
}

#[tokio::test]
async fn as_a_user_with_a_password_and_only_as_far_as_the_user_may() {
    let server = Server::start_with("users", |_, _| {
        let alice = "alice on >p@ss/word ~* &* +@all -hget"
            .split(' ')
            .map(str::to_owned);
        [
            "--requirepass".to_owned(),
            "default password".to_owned(),
            "--user".to_owned(),
        ]
        .into_iter()
        .chain(alice)
        .collect()
    });
    let address = server.address();
    for option in ["", "?protocol=resp2"] {
        let anybody = format!("redis://:default%20password@{address}{option}");
        let version = if option.is_empty() { 3 } else { 2 };
        talk(&start(&anybody, |client| client), version).await;
        let alice = format!("redis://alice:p%40ss%2Fword@{address}{option}");
        let alice = start(&alice, |client| client);
        assert_eq!(ask(&alice, ["ACL", "WHOAMI"]).await, data("alice"));
        assert!(refused(&alice, ["HGET", "hash", "a"]).await.is("NOPERM"));
    }
}

/// How often a client that is refused has tried, in a time.
async fn attempts(url: &str, cap: Duration, time: Duration) -> (Redis, u64) {
    let backoff = Backoff::default().cap(cap).seed(3);
    let redis = start(url, |client| client.backoff(backoff));
    let told = loop {
        let told = redis.call(["PING"]).policy(Policy::FailFast).await;
        match told {
            Err(RequestError::NotSent(NotSent::Disconnected(lost)))
                if !matches!(*lost, Lost::NotYet) =>
            {
                break lost;
            }
            _ => sleep(Duration::from_millis(5)).await,
        }
    };
    assert!(told.is_permanent(), "{told}");
    assert!(!told.to_string().contains("wrong"), "no password: {told}");
    sleep(time).await;
    let attempts = redis.client().counts().connects;
    (redis, attempts)
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_in_a_cap_and_works_when_it_is_right() {
    let server = Server::start_with("refused", |_, _| {
        vec!["--requirepass".into(), "right".into()]
    });
    let cap = Duration::from_millis(300);
    for option in ["", "?protocol=resp2"] {
        let url = format!("redis://:wrong@{}{option}", server.address());
        let (redis, attempts) = attempts(&url, cap, 2 * SECOND).await;
        // At least a cap and at most two lie between two of them.
        assert!((2..=8).contains(&attempts), "{attempts} attempts");
        let admin = start(&format!("redis://:right@{}", server.address()), |client| {
            client
        });
        let change = ["CONFIG", "SET", "requirepass", "wrong"];
        assert_eq!(ask(&admin, change).await, data("OK"));
        let ready = timeout(10 * SECOND, redis.client().ready()).await;
        ready.expect("it tries again").expect("it has not ended");
        let change = ["CONFIG", "SET", "requirepass", "right"];
        assert_eq!(ask(&redis, change).await, data("OK"));
    }
    // Without a password.
    let (_, attempts) = attempts(&server.url(), cap, SECOND).await;
    assert!((1..=5).contains(&attempts), "{attempts} attempts");
}

#[tokio::test]
async fn a_client_may_end_when_it_is_refused() {
    let server = Server::start_with("ends", |_, _| vec!["--requirepass".into(), "right".into()]);
    let url = format!("redis://:wrong@{}", server.address());
    let redis = start(&url, statem::net::ClientBuilder::stop_when_refused);
    let ended = timeout(10 * SECOND, redis.client().closed()).await;
    let reason = ended.expect("it ends");
    assert!(matches!(reason, ExitReason::Other(_)), "{reason}");
    assert!(reason.to_string().contains("WRONGPASS"), "{reason}");
}

#[tokio::test]
async fn with_tls_and_only_if_the_certificate_is_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.pem();
    let mut port = 0;
    let _server = Server::start_with("tls", |folder, free| {
        port = free;
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the file can be written");
            path.display().to_string()
        };
        [
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", file("certificate", certificate.clone())),
            (
                "--tls-key-file",
                file("key", made.signing_key.serialize_pem()),
            ),
            ("--tls-auth-clients", "no".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    });
    let url = format!("rediss://localhost:{port}");
    for (option, version) in [("", 3), ("/2?protocol=resp2", 2)] {
        let location: Location = format!("{url}{option}").parse().expect("it is a URL");
        let trusting = location
            .trust(certificate.as_bytes())
            .expect("it is a certificate");
        talk(
            &Redis::start(&trusting, |client| client).expect("it starts"),
            version,
        )
        .await;
    }

    // The operating system does not know it; another name is not in it; and plain text is no TLS.
    let stranger = url.clone();
    let other_name = format!("rediss://127.0.0.1:{port}");
    let plain = format!("redis://localhost:{port}");
    for (url, trusts, why) in [
        (stranger, false, "UnknownIssuer"),
        (other_name, true, "not valid for name"),
        (plain, false, ""),
    ] {
        let mut location: Location = url.parse().expect("it is a URL");
        if trusts {
            location = location
                .trust(certificate.as_bytes())
                .expect("it is a certificate");
        }
        let redis = Redis::start(&location, statem::net::ClientBuilder::stop_on_disconnect);
        let redis = redis.expect("it starts");
        let ended = timeout(10 * SECOND, redis.client().closed()).await;
        let reason = ended.expect("it ends").to_string();
        assert!(reason.contains(why), "{url}: {reason}");
        assert_eq!(redis.client().counts().ups, 0, "{url}");
    }
}
