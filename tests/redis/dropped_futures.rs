//! Every future of the example is dropped after its k-th poll, for every k: the client goes on, no
//! answer is another's, nothing runs twice, and the server forgets who has gone.

use std::io::Write as _;
use std::time::Duration;

use statem::Backoff;
use statem_examples::redis_client::client::{Outcome, Redis};
use statem_examples::redis_client::subscription::{News, Subscription};
use statem_examples::redis_client::value::{Command, Value};
use tokio::time::{sleep, timeout};

use crate::dropped::dropped_after;
use crate::redis_server::Server;
use crate::subscribing::{message, next, publish, subscribers};
use crate::{settled, start};

/// More polls than any of these futures needs.
const MOST: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// What happens while a future is polled and dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meanwhile {
    /// The server answers at once.
    Answers,
    /// It executes nothing for a while, so that what was sent is in flight at its first polls.
    Pauses,
    /// It does the same, and the connection breaks after the drop.
    Breaks,
}

const ALL: [Meanwhile; 3] = [Meanwhile::Answers, Meanwhile::Pauses, Meanwhile::Breaks];

impl Meanwhile {
    /// Before the future is made.
    async fn begin(self, other: &Redis) {
        if self != Meanwhile::Answers {
            does(other, &["CLIENT", "PAUSE", "15", "ALL"]).await;
        }
    }

    /// After it was dropped.
    async fn end(self, other: &Redis) {
        if self == Meanwhile::Breaks {
            does(
                other,
                &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
            )
            .await;
        }
    }
}

/// One that looks at its clock often enough for pauses to be short.
fn start_server(name: &str) -> Server {
    Server::start_with(name, |_, _| vec!["--hz".to_owned(), "500".to_owned()])
}

async fn does(redis: &Redis, command: &[&str]) {
    let told = redis.call(command).await;
    told.expect("an answer").expect("it may");
}

/// The answer to this one has its number, so that it is seen whose it is.
async fn echo(redis: &Redis, number: usize) {
    let text = number.to_string();
    let echo = Command::from(["ECHO", &text]).idempotent();
    let answer = redis.call(echo).await.expect("an answer");
    assert_eq!(answer, Ok(Value::Data(text.into())));
}

/// Tells whoever runs the tests how much was swept.
fn tell(dropped: usize, what: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "sweeps: {dropped} futures dropped: {what}");
}

async fn counter(redis: &Redis, key: &str) -> usize {
    match redis.call(["GET", key]).await {
        Ok(Ok(Value::Nil)) => 0,
        Ok(Ok(Value::Data(digits))) => {
            let digits = std::str::from_utf8(&digits).expect("it is text");
            digits.parse().expect("it is a number")
        }
        other => panic!("{other:?}"),
    }
}

/// Drops a future of so many increments of one counter after every poll. Another client looks at the
/// counters in the end, when nothing is in flight any more.
async fn every_increment(
    name: &str,
    increments: usize,
    future: impl AsyncFn(&Redis, &str, usize) -> bool,
) {
    let mut late = Vec::new();
    for meanwhile in ALL {
        let server = start_server(&format!("{name}{meanwhile:?}"));
        // Connections that break soon do not reset it.
        let quick = Backoff::default().first(SECOND / 100).cap(SECOND / 100);
        let redis = start(&server.url(), |client| client.window(4).backoff(quick));
        let other = start(&server.url(), |client| client);
        echo(&redis, 0).await;
        let key = |polls| format!("{name}:{polls}");
        let mut last = None;
        for polls in 0..MOST {
            meanwhile.begin(&other).await;
            let was_ready = future(&redis, &key(polls), polls).await;
            meanwhile.end(&other).await;
            // In order, so what was sent before has been executed when this is answered.
            echo(&redis, polls).await;
            last = was_ready.then_some(polls);
            if was_ready {
                break;
            }
        }
        let last = last.expect("it is ready after some polls");
        tell(last, &format!("{name}, the server {meanwhile:?}"));
        settled(&redis).await;
        for polls in 0..=last {
            let ran = counter(&other, &key(polls)).await;
            let most = if polls == 0 { 0 } else { increments };
            assert!(ran <= most, "{ran} times after {polls} polls");
            assert!(polls < last || ran == most, "{ran} times, and was ready");
        }
        let counts = redis.client().counts();
        assert_eq!((counts.stray, counts.protocol), (0, 0), "{counts:?}");
        // While it pauses more is given up in flight than while it answers at once.
        late.push(counts.late);
        assert!(
            meanwhile != Meanwhile::Pauses || late[1] > late[0],
            "{late:?}"
        );
        let breaks = match meanwhile {
            Meanwhile::Breaks => last as u64 + 1,
            _ => 0,
        };
        assert_eq!(counts.downs, breaks, "{counts:?}");
    }
}

#[tokio::test]
async fn a_call_may_be_dropped_after_any_poll_and_runs_once_at_most() {
    every_increment("call", 1, async |redis, key, polls| {
        let told = dropped_after(polls, redis.call(["INCR", key])).await;
        told.map(number)
            .inspect(|ran| assert_eq!(*ran, 1))
            .is_some()
    })
    .await;
}

/// What may be sent again is not for somebody who has gone.
#[tokio::test]
async fn a_call_that_may_run_twice_runs_once_at_most_when_it_is_dropped_after_any_poll() {
    every_increment("again", 1, async |redis, key, polls| {
        let increment = Command::from(["INCR", key]).idempotent();
        let told = dropped_after(polls, redis.call(increment)).await;
        told.map(number)
            .inspect(|ran| assert_eq!(*ran, 1))
            .is_some()
    })
    .await;
}

/// Twice as many as there is room for on the connection.
#[tokio::test]
async fn a_pipeline_may_be_dropped_after_any_poll_and_each_command_runs_once_at_most() {
    every_increment("pipeline", 8, async |redis, key, polls| {
        let commands = (0..8).map(|_| ["INCR", key]);
        let told = dropped_after(polls, redis.pipeline(commands)).await;
        told.is_some_and(|outcomes| {
            let ran: Vec<_> = outcomes.into_iter().map(number).collect();
            assert_eq!(ran, [1, 2, 3, 4, 5, 6, 7, 8]);
            true
        })
    })
    .await;
}

fn number(outcome: Outcome) -> i64 {
    match outcome {
        Ok(Ok(Value::Number(number))) => number,
        other => panic!("{other:?}"),
    }
}

/// Waits until somebody subscribes to these channels and to no others, as the server says.
async fn only_these_are_subscribed(redis: &Redis, channels: &[&str]) {
    let expected: Vec<_> = channels.iter().map(|name| data(name)).collect();
    let expected = Value::Array(expected);
    until_told(redis, ["PUBSUB", "CHANNELS"], |told| *told == expected).await;
}

/// Waits until the server has so many clients, the one that asks included.
async fn only_so_many_are_connected(redis: &Redis, count: usize) {
    until_told(redis, ["CLIENT", "LIST"], |told| {
        let Value::Data(list) = told else {
            panic!("{told:?}")
        };
        list.split(|&byte| byte == b'\n').count() == count + 1
    })
    .await;
}

async fn until_told(redis: &Redis, question: [&str; 2], is_right: impl Fn(&Value) -> bool) {
    let mut last = None;
    let asking = async {
        loop {
            let told = redis.call(question).await.expect("an answer");
            let told = told.expect("it may ask");
            if is_right(&told) {
                return;
            }
            last = Some(told);
            sleep(SECOND / 1000).await;
        }
    };
    let in_time = timeout(10 * SECOND, asking).await.is_ok();
    assert!(in_time, "{question:?}: {last:?}");
}

fn data(text: &str) -> Value {
    Value::Data(text.to_owned().into())
}

/// Somebody who has subscribed to `news`.
async fn listener(redis: &Redis) -> Subscription {
    let mut listener = redis.subscribe(["news"]).await.expect("it starts");
    assert!(matches!(next(&mut listener).await, News::Up));
    listener
}

/// What is published now is what each of them hears next.
async fn all_hear(redis: &Redis, listeners: &mut [Subscription], payload: &str) {
    let count = publish(redis, "news", payload).await;
    assert_eq!(usize::try_from(count), Ok(listeners.len()));
    for listener in listeners {
        assert_eq!(message(listener).await, ["", "news", payload]);
    }
}

#[tokio::test]
async fn a_subscription_may_be_dropped_after_any_poll_and_the_server_forgets_it() {
    let server = start_server("subscriptions");
    let redis = start(&server.url(), |client| client);
    let mut other = listener(&redis).await;
    // As it starts, and then as it waits to be subscribed.
    for (waits, meanwhile) in [
        (false, Meanwhile::Answers),
        (true, Meanwhile::Answers),
        (true, Meanwhile::Pauses),
    ] {
        let mut was_ready = false;
        for polls in 0..MOST {
            let payload = format!("{waits}:{polls}");
            meanwhile.begin(&redis).await;
            if waits {
                let mut mine = redis.subscribe(["news", "mine"]).await.expect("it starts");
                let first = dropped_after(polls, mine.next()).await;
                was_ready = first.is_some();
                assert!(matches!(first, None | Some(Some(News::Up))), "{first:?}");
            } else {
                let starting = redis.subscribe(["news", "mine"]);
                was_ready = dropped_after(polls, starting).await.is_some();
            }
            publish(&redis, "news", &payload).await;
            assert_eq!(message(&mut other).await, ["", "news", &payload]);
            only_these_are_subscribed(&redis, &["news"]).await;
            only_so_many_are_connected(&redis, 2).await;
            assert_eq!(subscribers(&redis, "news").await, (1, 0));
            if was_ready {
                tell(polls, &format!("to subscribe, the server {meanwhile:?}"));
                break;
            }
        }
        assert!(was_ready, "it is not subscribed after {MOST} polls");
    }
    drop(other);
    only_these_are_subscribed(&redis, &[]).await;
}

/// How a subscription is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Subscribe,
    Unsubscribe,
}

impl Change {
    async fn make(self, subscription: &mut Subscription, topic: &str) {
        let told = match self {
            Change::Subscribe => subscription.subscribe(topic).await,
            Change::Unsubscribe => subscription.unsubscribe(topic).await,
        };
        told.expect("it may");
    }

    fn back(self) -> Self {
        match self {
            Change::Subscribe => Change::Unsubscribe,
            Change::Unsubscribe => Change::Subscribe,
        }
    }
}

/// A change that is dropped after every poll: it can be taken back at once; left alone, it holds from
/// the next connection on. Nobody misses any news meanwhile.
async fn every_change(change: Change, meanwhile: Meanwhile) {
    let server = start_server(&format!("{change:?}{meanwhile:?}"));
    let redis = start(&server.url(), |client| client);
    let mut listeners = [listener(&redis).await, listener(&redis).await];
    let topic = |polls| format!("left alone:{polls}");
    let mut last = None;
    for polls in 0..MOST {
        let mut was_ready = false;
        for (topic, back) in [(topic(polls), false), ("taken back".to_owned(), true)] {
            let [mine, _] = &mut listeners;
            if change == Change::Unsubscribe {
                change.back().make(mine, &topic).await;
            }
            meanwhile.begin(&redis).await;
            was_ready = dropped_after(polls, change.make(mine, &topic))
                .await
                .is_some();
            if back {
                change.back().make(mine, &topic).await;
                let there = i64::from(change == Change::Unsubscribe);
                let count = subscribers(&redis, &topic).await;
                assert_eq!(count, (there, 0), "after {polls} polls");
            }
            all_hear(&redis, &mut listeners, &format!("{polls} {topic}")).await;
        }
        if was_ready {
            last = Some(polls);
            break;
        }
    }
    let last = last.expect("it is ready after some polls");
    tell(2 * last, &format!("{change:?}, the server {meanwhile:?}"));
    does(&redis, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    for listener in &mut listeners {
        assert!(matches!(next(listener).await, News::Down(_)));
        assert!(matches!(next(listener).await, News::Up));
    }
    for polls in 0..=last {
        // Whoever has polled nothing has changed nothing.
        let there = i64::from((change == Change::Subscribe) == (polls > 0));
        let count = subscribers(&redis, &topic(polls)).await;
        assert_eq!(count, (there, 0), "after {polls} polls");
    }
    all_hear(&redis, &mut listeners, "the last one").await;
    drop(listeners);
    only_these_are_subscribed(&redis, &[]).await;
}

#[tokio::test]
async fn to_subscribe_to_one_more_may_be_dropped_after_any_poll() {
    every_change(Change::Subscribe, Meanwhile::Answers).await;
    every_change(Change::Subscribe, Meanwhile::Pauses).await;
}

#[tokio::test]
async fn to_unsubscribe_may_be_dropped_after_any_poll() {
    every_change(Change::Unsubscribe, Meanwhile::Answers).await;
    every_change(Change::Unsubscribe, Meanwhile::Pauses).await;
}

#[tokio::test]
async fn the_next_news_may_be_dropped_after_any_poll_and_none_is_lost_or_comes_twice() {
    let server = start_server("news");
    let redis = start(&server.url(), |client| client);
    let mut mine = listener(&redis).await;
    let mut dropped = 0;
    for polls in 1..20 {
        let publishing = redis.clone();
        let publisher = tokio::spawn(async move {
            for number in 0..20 {
                publish(&publishing, "news", &format!("{polls}:{number}")).await;
            }
        });
        let mut heard = Vec::new();
        let all = async {
            while heard.len() < 20 {
                let news = dropped_after(polls, mine.next()).await;
                dropped += usize::from(news.is_none());
                heard.extend(news.map(|news| news.expect("it has not ended")));
                tokio::task::yield_now().await;
            }
        };
        timeout(10 * SECOND, all).await.expect("all of them come");
        publisher.await.expect("it publishes");
        for (number, news) in heard.iter().enumerate() {
            let News::Message(message) = news else {
                panic!("{news:?} after {polls} polls")
            };
            assert_eq!(message.payload, format!("{polls}:{number}"));
        }
    }
    tell(dropped, "the next news");
}
