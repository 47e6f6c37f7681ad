//! The server dies, comes back, hangs, and answers wrongly.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use statem::Backoff;
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::resp::Resp;
use statem_examples::redis_client::server::Store;
use statem_examples::redis_client::traffic::{Tally, Traffic, now};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::codec::{Decoder, Encoder};

use crate::redis_server::Server;
use crate::{settled, start};

const CALLERS: usize = 64;
const PAUSE: Duration = Duration::from_millis(2);
/// The limit of each call.
const LIMIT: Duration = Duration::from_secs(6);
/// What a loaded computer may add to a limit.
const SLACK: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(1);

/// Waits until every caller has had an answer since `since`, and gives the time of the last one's
/// first.
async fn all_answered(traffic: &Traffic, since: Instant) -> Duration {
    for _ in 0..1000 {
        let answers = traffic.tally().now().last_answer;
        if answers
            .iter()
            .all(|answer| answer.is_some_and(|at| at > since))
        {
            return now() - since;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "not all callers are answered again after ten seconds: {:?}",
        traffic.tally().now()
    );
}

async fn check(tally: &Tally, redis: &Redis) {
    assert_eq!(tally.mismatched, 0, "{:?}", tally.first_mismatch);
    assert_eq!(
        tally.sent,
        tally.answered + tally.failures(),
        "every call has one outcome"
    );
    assert!(
        tally.slowest <= LIMIT + SLACK,
        "{:?} is over the limit",
        tally.slowest
    );
    settled(redis).await;
    let counts = redis.client().counts();
    assert!(counts.ok >= tally.answered);
    assert_eq!((counts.stray, counts.protocol, counts.stopped), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_outlive_a_server_that_is_killed() {
    let mut server = Server::start("killed");
    let backoff = Backoff::default().cap(CAP).seed(1);
    let redis = start(&server.url(), |client| client.limit(LIMIT).backoff(backoff));
    // This Redis writes nothing to disk: what it was told is gone with it.
    let traffic = Traffic::start(&redis, CALLERS, PAUSE, true);
    all_answered(&traffic, now()).await;
    sleep(Duration::from_millis(500)).await;

    for _ in 0..2 {
        server.kill().await;
        sleep(Duration::from_millis(1500)).await;
        let up = server.launch();
        let took = all_answered(&traffic, up).await;
        assert!(
            took <= 2 * CAP,
            "the last caller was answered {took:?} after the server accepted"
        );
        sleep(Duration::from_millis(500)).await;
    }

    let tally = traffic.finish().await;
    check(&tally, &redis).await;
    let unknown = tally
        .failed
        .iter()
        .filter(|(why, _)| why.contains("may have run"));
    let unknown: u64 = unknown.map(|(_, count)| count).sum();
    assert!(
        unknown > 0,
        "nothing was in flight when the server was killed: {:?}",
        tally.failed
    );
    assert!(
        tally
            .failed
            .keys()
            .all(|reason| reason.contains("not sent") || reason.contains("may have run"))
    );
    assert_eq!(redis.client().counts().downs, 2);
    let seen = redis.client().inspect().await.expect("the client lives");
    assert_eq!(
        (seen.state, seen.counts.unexpected, seen.waiting.postponed),
        ("Connected", 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_and_found_again() {
    let server = Server::start("hangs");
    let half = Duration::from_millis(500);
    let backoff = Backoff::default().cap(half).seed(2);
    let redis = start(&server.url(), |client| {
        let client = client.limit(LIMIT).backoff(backoff);
        client.answer_timeout(half).handshake_timeout(half)
    });
    // It forgets nothing, so requests that are said not to have run are checked not to have.
    let traffic = Traffic::start(&redis, CALLERS, PAUSE, false);
    all_answered(&traffic, now()).await;

    server.signal("-STOP");
    // Its kernel still accepts connections, so only the deadlines of the greeting and of the
    // answers help.
    sleep(Duration::from_secs(2)).await;
    assert!(
        traffic.tally().now().failures() > 0,
        "the callers are told before the server is back"
    );
    server.signal("-CONT");
    let took = all_answered(&traffic, now()).await;
    assert!(
        took <= 4 * half,
        "the last caller was answered {took:?} after the server went on"
    );
    check(&traffic.finish().await, &redis).await;
}

/// Accepts one client, and answers its first 50 commands as Redis does. From then on each reply is
/// that of the command before: one reply came twice, and all others come late by one.
async fn late_server(listener: TcpListener) -> io::Result<()> {
    let (mut socket, _) = listener.accept().await?;
    let (store, mut received, mut replies) = (Store::default(), BytesMut::new(), BytesMut::new());
    let (mut before, mut commands) = (None, 0);
    while socket.read_buf(&mut received).await? > 0 {
        while let Some(command) = Resp::default().decode(&mut received).expect("a command") {
            let right = store.execute(&command);
            commands += 1;
            let late = before.replace(right.clone()).filter(|_| commands > 50);
            let reply = late.unwrap_or(right);
            Resp::default()
                .encode(reply, &mut replies)
                .expect("a reply");
        }
        socket.write_all_buf(&mut replies).await?;
    }
    Ok(())
}

#[tokio::test]
async fn replies_that_come_late_by_one_are_counted_as_mismatched() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let server = tokio::spawn(late_server(listener));
    let redis = start(&format!("redis://{address}"), |client| client.limit(LIMIT));
    let traffic = Traffic::start(&redis, CALLERS, PAUSE, false);
    while traffic.tally().now().sent < 10 * CALLERS as u64 {
        sleep(PAUSE).await;
    }
    let tally = traffic.finish().await;
    // About half of all requests have an answer that their neighbours' are not equal to.
    assert!(tally.mismatched > tally.sent / 8, "{tally:?}");
    assert!(tally.first_mismatch.is_some());
    assert!(
        (tally.failures(), redis.client().counts().downs) == (0, 0),
        "to the client alone all looks well: {tally:?}"
    );
    drop(redis);
    server.await.expect("the server ends").expect("no error");
}
