//! What is written for Redis: the greeting, the frames, the stream of news. The network is in memory
//! and the clock is paused.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use statem::Backoff;
use statem::Status;
use statem::net::{Address, ClientBuilder, Dial, Io, Lost, NotSent, Policy, RequestError, Unknown};
use statem::testing::{Wire, wire};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::codec::Decoder;

use super::client::{News, Outcome, Redis, Subscription};
use super::location::Location;
use super::protocol::{Commands, Message};
use super::resp::Resp;
use super::value::{Command, Value};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A network in which every attempt connects; a clone is the same network.
#[derive(Clone, Default)]
struct Network {
    accepted: Arc<Mutex<VecDeque<Wire>>>,
    attempts: Arc<Mutex<Vec<Instant>>>,
}

impl Dial for Network {
    fn dial(&self, _: &Address) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>> {
        let (near, far) = wire();
        self.accepted.lock().unwrap().push_back(far);
        #[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
        self.attempts.lock().unwrap().push(Instant::now());
        Box::pin(async move { Ok(Box::new(near) as Box<dyn Io>) })
    }
}

impl Network {
    fn location(&self, url: &str) -> Location {
        let location: Location = url.parse().expect("it is a URL");
        location.connect_by(|connector| connector.dialler(self.clone()))
    }

    fn redis(&self, url: &str) -> Redis {
        self.start(url, |client| client)
    }

    fn start(
        &self,
        url: &str,
        settings: impl FnOnce(ClientBuilder<Commands>) -> ClientBuilder<Commands>,
    ) -> Redis {
        Redis::start(&self.location(url), |client| settings(client.seed(1))).expect("it starts")
    }

    /// The other end of the oldest connection that was not taken.
    async fn server(&self) -> Wire {
        let oldest = || self.accepted.lock().unwrap().pop_front();
        for _ in 0..6_000 {
            let server = oldest();
            sleep(10 * MS).await;
            if let Some(server) = server {
                return server;
            }
        }
        panic!("nobody connects");
    }

    /// The same, after the greeting of version 3.
    async fn greeted(&self) -> Wire {
        let server = self.server().await;
        assert_eq!(commands(&server), ["HELLO 3"]);
        server.send(GREETING);
        settle().await;
        server
    }

    fn attempts(&self) -> Vec<Instant> {
        self.attempts.lock().unwrap().clone()
    }
}

/// What a Redis that speaks version 3 answers to the greeting.
const GREETING: &str = "%1\r\n+proto\r\n:3\r\n";

/// Lets everything happen that can without the clock, and moves it by a millisecond.
async fn settle() {
    sleep(MS).await;
}

/// The commands that have come since this was last asked, their words put together.
fn commands(server: &Wire) -> Vec<String> {
    let mut bytes = BytesMut::from(&server.take_written()[..]);
    let (mut codec, mut commands) = (Resp::default(), Vec::new());
    while let Some(command) = codec.decode(&mut bytes).expect("the client writes RESP") {
        let Value::Array(words) = command else {
            panic!("a command is an array: {command:?}")
        };
        let words = words.into_iter().map(|word| match word {
            Value::Data(data) => String::from_utf8(data.to_vec()).expect("a word is text"),
            other => panic!("a word is a string: {other:?}"),
        });
        commands.push(words.collect::<Vec<_>>().join(" "));
    }
    assert!(bytes.is_empty(), "half a command was left: {bytes:?}");
    commands
}

fn asks(redis: &Redis, command: impl Into<Command>) -> JoinHandle<Outcome> {
    let (redis, command) = (redis.clone(), command.into());
    tokio::spawn(async move { redis.call(command).await })
}

fn data(text: &'static str) -> Value {
    Value::Data(Bytes::from_static(text.as_bytes()))
}

async fn value(asked: JoinHandle<Outcome>) -> Value {
    let outcome = asked.await.expect("no caller panics");
    outcome
        .expect("an answer")
        .expect("no error of the server's")
}

async fn failure(asked: JoinHandle<Outcome>) -> RequestError {
    asked
        .await
        .expect("no caller panics")
        .expect_err("a failure")
}

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

/// A silent server is pinged again and again, until it does not answer.
async fn pinged(server: &Wire, pong: &str) {
    for answers in [true, true, true, false] {
        let mut heard = Vec::new();
        for _ in 0..31 {
            if heard.is_empty() {
                sleep(SECOND).await;
                heard = commands(server);
            }
        }
        assert_eq!(heard, ["PING"], "within 30 s");
        if answers {
            server.send(pong);
        }
    }
    sleep(20 * SECOND).await;
    assert!(server.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_server_with_nothing_to_say_is_asked_whether_it_is_there() {
    let network = Network::default();
    let redis = network.redis("redis://10.0.0.1");
    pinged(&network.greeted().await, "+PONG\r\n").await;
    drop(redis);
}

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
