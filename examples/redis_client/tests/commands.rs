//! Commands and their answers, lost connections, bad servers.

use std::io;

use statem::net::{Lost, NotSent, RequestError, Unknown};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{GREETING, Network, SECOND, asks, commands, data, pinged, settle, value};
use crate::redis_client::client::Outcome;
use crate::redis_client::value::{Command, Value};

async fn failure(asked: JoinHandle<Outcome>) -> RequestError {
    asked
        .await
        .expect("no caller panics")
        .expect_err("a failure")
}

#[tokio::test(start_paused = true)]
async fn answers_go_to_their_commands_in_order_and_errors_are_answers() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    let server = network.greeted().await;
    let [a, b, c] = ["a", "b", "c"].map(|key| asks(&redis, ["GET", key]));
    settle().await;
    assert_eq!(commands(&server), ["GET a", "GET b", "GET c"]);
    // What comes unasked is no answer.
    server.send("$1\r\n1\r\n>2\r\n+invalidate\r\n*0\r\n-WRONGTYPE no string\r\n_\r");
    settle().await;
    assert_eq!(value(a).await, data("1"));
    let error = b
        .await
        .expect("no panic")
        .expect("an answer")
        .expect_err("an error");
    assert!(error.is("WRONGTYPE") && !error.is("WRONG"));
    assert_eq!(error.to_string(), "the server says: WRONGTYPE no string");
    assert!(!c.is_finished());
    server.send("\n");
    assert_eq!(value(c).await, Value::Nil);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_leaves_in_one_write_and_its_outcomes_are_in_order() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    let server = network.greeted().await;
    let before = server.writes();
    let pipeline = async {
        let keys = ["a", "b", "c"];
        redis.pipeline(keys.map(|key| ["INCR", key])).await
    };
    let answers = async {
        settle().await;
        assert_eq!(commands(&server), ["INCR a", "INCR b", "INCR c"]);
        assert_eq!(server.writes() - before, 1);
        server.send(":1\r\n-ERR no\r\n");
        settle().await;
        server.end();
    };
    let (outcomes, ()) = tokio::join!(pipeline, answers);
    let [a, b, c] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert!(matches!(a, Ok(Ok(Value::Number(1)))), "{a:?}");
    assert!(matches!(b, Ok(Err(error)) if error.is("ERR")), "{b:?}");
    assert!(
        matches!(c, Err(RequestError::Unknown(Unknown::Lost(_)))),
        "{c:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn at_a_disconnect_each_command_is_told_what_is_known_or_is_sent_again() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    let server = network.greeted().await;
    let one = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".len();
    // The first two leave, the third does not.
    server.accept(2 * one);
    let a = asks(&redis, ["GET", "a"]);
    let b = asks(&redis, Command::from(["GET", "b"]).idempotent());
    let c = asks(&redis, ["GET", "c"]);
    settle().await;
    assert_eq!(commands(&server), ["GET a", "GET b"]);
    server.fail(io::ErrorKind::ConnectionReset);
    let error = failure(a).await;
    assert!(matches!(error, RequestError::Unknown(Unknown::Lost(_))));
    let error = failure(c).await;
    assert!(
        matches!(error, RequestError::NotSent(NotSent::Closed(_))),
        "{error}"
    );
    let server = network.greeted().await;
    assert_eq!(commands(&server), ["GET b"]);
    server.send("+b\r\n");
    assert_eq!(value(b).await, data("b"));
    assert_eq!(redis.client().counts().replayed, 1);
}

#[tokio::test(start_paused = true)]
async fn n52_a_request_whose_caller_has_gone_before_it_was_sent_is_not_sent() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    let server = network.server().await;
    let [a, b] = ["a", "b"].map(|key| asks(&redis, ["GET", key]));
    settle().await;
    a.abort();
    settle().await;
    assert_eq!(commands(&server), ["HELLO 3"]);
    server.send(GREETING);
    settle().await;
    assert_eq!(commands(&server), ["GET b"]);
    server.send("+b\r\n");
    assert_eq!(value(b).await, data("b"));
}

#[tokio::test(start_paused = true)]
async fn n84_a_request_whose_caller_has_gone_keeps_its_place() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    let server = network.greeted().await;
    let [a, b] = ["a", "b"].map(|key| asks(&redis, ["GET", key]));
    settle().await;
    a.abort();
    settle().await;
    server.send("+1\r\n");
    settle().await;
    assert!(
        !b.is_finished(),
        "the reply is that of the caller who has gone"
    );
    server.send("+2\r\n");
    assert_eq!(value(b).await, data("2"));
    assert_eq!(redis.client().counts().late, 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_blocks_is_not_taken_for_a_silent_server_and_any_other_is() {
    let network = Network::default();
    let redis = network.start("redis://10.0.0.1", |client| client.limit(1000 * SECOND));
    let server = network.greeted().await;
    let pop = asks(&redis, Command::from(["BLPOP", "queue", "0"]).long());
    sleep(100 * SECOND).await;
    server.send("*2\r\n$5\r\nqueue\r\n$1\r\na\r\n");
    assert_eq!(
        value(pop).await,
        Value::Array(vec![data("queue"), data("a")])
    );
    let get = asks(&redis, ["GET", "a"]);
    let error = failure(get).await;
    let RequestError::Unknown(Unknown::Lost(lost)) = &error else {
        panic!("{error}")
    };
    assert!(matches!(**lost, Lost::Unresponsive(_)), "{lost}");
}

#[tokio::test(start_paused = true)]
async fn a_server_with_nothing_to_say_is_asked_whether_it_is_there() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    pinged(&network.greeted().await, "+PONG\r\n").await;
    drop(redis);
}

/// What bad servers send in place of the answer to one request, and the word for it.
const BAD: [(&[u8], &str); 5] = [
    (b"\x16\x03\x01garbage\r\n", "no frame begins with"),
    (b"$5\r\nab", "within a frame"),
    (b"", "closed the connection"),
    (b"$19\r\n1234567890123456789\r\n", "more than 16 bytes"),
    (b"+unasked\r\n+unasked\r\n", "nobody had asked"),
];

#[tokio::test(start_paused = true)]
async fn a_bad_server_costs_its_connection_and_nothing_more() {
    for (bytes, text) in BAD {
        let network = Network::default();
        let link = statem::net::LinkConfig::default().max_frame(16);
        let redis = network.start("redis://10.0.0.1", |client| client.link(link));
        let server = network.server().await;
        server.send("%0\r\n");
        settle().await;
        let asked = asks(&redis, ["GET", "a"]);
        settle().await;
        server.send(bytes);
        server.end();
        let told = asked.await.expect("no caller panics");
        // In the last case the first of the two replies was the caller's.
        if let Err(error) = told {
            assert!(
                error.may_have_run() && error.to_string().contains(text),
                "{text}: {error}"
            );
        } else {
            assert!(bytes.starts_with(b"+"), "{text}");
        }
        settle().await;
        assert!(server.is_closed(), "{text}");
        let server = network.server().await;
        server.send("%0\r\n");
        let asked = asks(&redis, ["GET", "b"]);
        settle().await;
        server.send("+b\r\n");
        assert_eq!(value(asked).await, data("b"));
    }
}
