//! The handle of a client is used outside of its module.

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

async fn end(redis: &Redis) {
    redis.handle.stop().await;
}

fn main() {}
