//! The client of the example against a real Redis server.

use std::process::Command;
use std::time::Duration;

use statem::net::ClientBuilder;
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::protocol::Commands;
use tokio::time::sleep;

use redis_server::Server;

#[path = "../dropped.rs"]
mod dropped;
mod dropped_futures;
mod outages;
#[path = "../redis_server.rs"]
mod redis_server;
mod speaking;
mod subscribing;

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

    fn url(&self) -> String {
        format!("redis://{}", self.address())
    }
}

fn start(
    url: &str,
    settings: impl FnOnce(ClientBuilder<Commands>) -> ClientBuilder<Commands>,
) -> Redis {
    let location = url.parse().expect("it is a URL");
    Redis::start(&location, settings).expect("it starts")
}

/// Waits until nothing is in flight; then every call has had one outcome (F44).
async fn settled(redis: &Redis) {
    let mut counts = redis.client().counts();
    for _ in 0..1000 {
        let ended = counts.ok + counts.unknown + counts.protocol + counts.stopped;
        if counts.accepted == counts.sent + counts.not_sent && counts.sent == ended {
            return;
        }
        sleep(Duration::from_millis(10)).await;
        counts = redis.client().counts();
    }
    panic!("the counts do not balance: {counts:?}");
}
