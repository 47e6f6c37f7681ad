//! Several requests in flight at once, collected as they are answered: what OTP has request ids and
//! collections for are futures here. A `JoinSet` is the collection, its tasks carry the labels, and
//! a request is abandoned by dropping it.

use std::time::Duration;

use statem::{CallError, ExitReason, Handle, spawn};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::line::{Event, Idle, Line, Said, To};
use crate::support::{Log, ms, now, told};

/// Requests in flight, by label.
type Requests = JoinSet<(&'static str, Result<Said, CallError>)>;

/// Three machines, the second of them with its log.
fn three() -> ([Handle<Line>; 3], Log) {
    let log = Log::default();
    let line = || spawn::<Line>(Idle, log.clone());
    ([line(), line(), line()], log)
}

/// Sends a request that is answered after a time.
fn send(requests: &mut Requests, label: &'static str, line: &Handle<Line>, time: Duration) {
    let line = line.clone();
    requests.spawn(async move {
        let call = line.call(|reply| Event::Delay(time, reply));
        (label, call.limit(ms(60_000)).await)
    });
}

/// The three requests of each case: the second is answered first, then the third, then the first.
async fn in_flight(lines: &[Handle<Line>; 3]) -> Requests {
    let mut requests = Requests::new();
    send(&mut requests, "first", &lines[0], ms(400));
    send(&mut requests, "second", &lines[1], ms(1));
    send(&mut requests, "third", &lines[2], ms(200));
    tokio::task::yield_now().await;
    assert_eq!(requests.len(), 3);
    requests
}

/// The next one that is answered, with what it was told.
async fn next(requests: &mut Requests) -> String {
    let Some(answered) = requests.join_next().await else {
        return "no request".into();
    };
    let (label, outcome) = answered.unwrap();
    format!("{label}: {}", told(outcome))
}

#[tokio::test(start_paused = true)]
async fn send_request_receive_reqid_collection() {
    let (lines, _) = three();
    let mut alive = Box::pin(lines[0].call(|reply| Event::Alive(To::Caller(reply))));
    let began = now();
    let mut requests = in_flight(&lines).await;
    for (expected, left, at) in [
        ("second: Delayed", 2, 1),
        ("third: Delayed", 1, 200),
        ("first: Delayed", 0, 400),
    ] {
        assert_eq!(next(&mut requests).await, expected);
        assert_eq!((requests.len(), now() - began), (left, ms(at)));
    }
    assert_eq!(next(&mut requests).await, "no request");
    assert_eq!(told(alive.as_mut().await), "Yes");
}

#[tokio::test(start_paused = true)]
async fn send_request_receive_reqid_collection_timeout() {
    let (lines, log) = three();
    let deadline = now() + ms(100);
    let mut requests = in_flight(&lines).await;
    assert_eq!(next(&mut requests).await, "second: Delayed");
    // Whoever gives up by dropping abandons all that is in flight: the answers find nobody.
    assert!(timeout_at(deadline, next(&mut requests)).await.is_err());
    assert_eq!(now(), deadline);
    requests.shutdown().await;
    tokio::time::sleep(ms(1000)).await;
    assert_eq!(log.take(), "too late, too late");
    // A deadline that has passed waits for nothing.
    assert!(
        timeout_at(deadline, next(&mut in_flight(&lines).await))
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn send_request_receive_reqid_collection_error() {
    let (lines, _) = three();
    kill(&lines[1]).await;
    let mut requests = in_flight(&lines).await;
    assert_eq!(
        next(&mut requests).await,
        "second: stopped: Killed, begun: false"
    );
    assert_eq!(next(&mut requests).await, "third: Delayed");
    assert_eq!(next(&mut requests).await, "first: Delayed");
}

#[tokio::test(start_paused = true)]
async fn send_request_wait_reqid_collection() {
    let (lines, _) = three();
    let mut requests = in_flight(&lines).await;
    for expected in ["second: Delayed", "third: Delayed", "first: Delayed"] {
        let answered = timeout(ms(2000), next(&mut requests)).await;
        assert_eq!(answered.unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn send_request_wait_reqid_collection_timeout() {
    let (lines, log) = three();
    let deadline: Instant = now() + ms(100);
    let mut requests = in_flight(&lines).await;
    assert_eq!(next(&mut requests).await, "second: Delayed");
    // Whoever gives up waiting keeps the requests: they are answered all the same.
    assert!(timeout_at(deadline, next(&mut requests)).await.is_err());
    assert_eq!(requests.len(), 2);
    assert_eq!(next(&mut requests).await, "third: Delayed");
    assert_eq!(next(&mut requests).await, "first: Delayed");
    assert_eq!(log.take(), "");

    // A single request is waited for again by the same future.
    let mut request = Box::pin(lines[0].call(|reply| Event::Delay(ms(50), reply)));
    assert!(timeout(ms(20), &mut request).await.is_err());
    assert_eq!(told(request.await), "Delayed");
}

#[tokio::test(start_paused = true)]
async fn send_request_wait_reqid_collection_error() {
    let (lines, _) = three();
    let mut requests = in_flight(&lines).await;
    // It ends while its request is in flight.
    kill(&lines[1]).await;
    assert_eq!(
        next(&mut requests).await,
        "second: stopped: Killed, begun: true"
    );
    assert_eq!(requests.len(), 2);
    assert_eq!(next(&mut requests).await, "third: Delayed");
    assert_eq!(next(&mut requests).await, "first: Delayed");
}

/// Looks whether one has been answered, without waiting.
fn check(requests: &mut Requests) -> Option<String> {
    let (label, outcome) = requests.try_join_next()?.unwrap();
    Some(format!("{label}: {}", told(outcome)))
}

#[tokio::test(start_paused = true)]
async fn send_request_check_reqid_collection() {
    let (lines, _) = three();
    let mut requests = in_flight(&lines).await;
    assert_eq!(check(&mut requests), None);
    for (time, expected) in [
        (ms(2), Some("second: Delayed")),
        (ms(100), None),
        (ms(100), Some("third: Delayed")),
        (ms(200), Some("first: Delayed")),
        (ms(1000), None),
    ] {
        tokio::time::sleep(time).await;
        assert_eq!(check(&mut requests).as_deref(), expected);
    }
    assert!(requests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn send_request_check_reqid_collection_error() {
    let (lines, _) = three();
    kill(&lines[1]).await;
    let mut requests = in_flight(&lines).await;
    tokio::time::sleep(ms(1)).await;
    assert_eq!(
        check(&mut requests).as_deref(),
        Some("second: stopped: Killed, begun: false")
    );
    assert_eq!(check(&mut requests), None);
    assert_eq!(requests.len(), 2);
}

async fn kill(line: &Handle<Line>) {
    line.kill();
    assert!(matches!(line.closed().await, ExitReason::Killed));
}
