//! An event that is not marked is sent by the client.

#![allow(dead_code, unused_imports)]

mod redis {
    use statem::{Client, Reply, StateMachine};

    #[derive(StateMachine)]
    #[machine(event = Event)]
    enum Connection {
        #[initial]
        #[to(Ready)]
        Ready,
    }

    #[derive(Client)]
    #[client(machine = Connection, name = pub Redis)]
    enum Event {
        #[call]
        Get { key: String, reply: Reply<String> },
        Retry,
    }
}

use redis::Redis;

async fn retry(redis: &Redis) {
    drop(redis.retry().await);
}

fn main() {}
