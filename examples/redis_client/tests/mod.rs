//! What is written for Redis: the greeting, the frames, the stream of news. The network is in memory
//! and the clock is paused.

mod commands;
mod greeting;
mod subscribing;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use statem::net::{Address, ClientBuilder, Dial, Io};
use statem::testing::{Wire, wire};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::codec::Decoder;

use super::client::{Outcome, Redis};
use super::location::Location;
use super::protocol::Commands;
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
