//! The client of the example against a real Redis server, which dies and comes back meanwhile.

use std::io;
use std::process::Command;
use std::time::Duration;

use bytes::BytesMut;
use statem_examples::redis_client::codec::resp::Resp;
use statem_examples::redis_client::machine::{Client, Redis, Settings, tcp};
use statem_examples::redis_client::server::Store;
use statem_examples::redis_client::traffic::{Tally, Traffic, now};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::codec::{Decoder, Encoder};

use redis_server::Server;

mod redis_server;

const CALLERS: usize = 64;
const PAUSE: Duration = Duration::from_millis(2);
/// The limit of each call.
const LIMIT: Duration = Duration::from_secs(6);
/// What a loaded computer may add to a limit.
const SLACK: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(1);

impl Server {
    /// Ends it by SIGKILL: it says goodbye to nobody. It hangs a little before, so that each caller
    /// has a request in flight.
    async fn kill(&mut self) {
        self.signal("-STOP");
        sleep(Duration::from_millis(100)).await;
        let mut process = self.process.take().expect("the server is up");
        process.kill().expect("the server can be killed");
        process.wait().expect("the server has ended");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("the server is up");
        let status = Command::new("kill")
            .args([signal, &process.id().to_string()])
            .status();
        assert!(status.expect("`kill` is there").success());
    }
}

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

fn check(tally: &Tally) {
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_outlive_a_server_that_is_killed() {
    let mut server = Server::start("killed");
    let settings = Settings {
        backoff_cap: CAP,
        seed: 1,
        limit: LIMIT,
        ..Settings::default()
    };
    let redis = Redis::start(Client::new(settings, tcp(server.address())));
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
    check(&tally);
    let unknown = tally
        .failed
        .iter()
        .filter(|(why, _)| why.contains("may or may not have run"));
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
            .all(|reason| reason.contains("sent") || reason.contains("may or may not have run"))
    );
    assert!(matches!(redis.losses().await, Ok(2)));
    let seen = redis.inspect().await.expect("the client lives");
    assert_eq!(
        (seen.state, seen.counts.unexpected, seen.waiting.postponed),
        ("Connected", 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_and_found_again() {
    let server = Server::start("hangs");
    let half = Duration::from_millis(500);
    let settings = Settings {
        answer_timeout: half,
        handshake_timeout: half,
        backoff_cap: half,
        seed: 2,
        limit: LIMIT,
        ..Settings::default()
    };
    let redis = Redis::start(Client::new(settings, tcp(server.address())));
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
    check(&traffic.finish().await);
}

/// Accepts one client, and answers its first 50 commands as Redis does. From then on each reply is
/// that of the command before: one reply came twice, and all others come late by one.
async fn late_server(listener: TcpListener) -> io::Result<()> {
    let (mut socket, _) = listener.accept().await?;
    let (store, mut received, mut replies) = (Store::default(), BytesMut::new(), BytesMut::new());
    let (mut before, mut commands) = (None, 0);
    while socket.read_buf(&mut received).await? > 0 {
        while let Some(command) = Resp.decode(&mut received).expect("a command") {
            let right = store.execute(&command);
            commands += 1;
            let late = before.replace(right.clone()).filter(|_| commands > 50);
            let reply = late.unwrap_or(right);
            Resp.encode(reply, &mut replies).expect("a reply");
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
    let settings = Settings {
        limit: LIMIT,
        ..Settings::default()
    };
    let redis = Redis::start(Client::new(settings, tcp(address.to_string())));
    let traffic = Traffic::start(&redis, CALLERS, PAUSE, false);
    while traffic.tally().now().sent < 10 * CALLERS as u64 {
        sleep(PAUSE).await;
    }
    let tally = traffic.finish().await;
    // About half of all requests have an answer that their neighbours' are not equal to.
    assert!(tally.mismatched > tally.sent / 8, "{tally:?}");
    assert!(tally.first_mismatch.is_some());
    assert!(
        matches!((tally.failures(), redis.losses().await), (0, Ok(0))),
        "to the client alone all looks well: {tally:?}"
    );
    drop(redis);
    server.await.expect("the server ends").expect("no error");
}
