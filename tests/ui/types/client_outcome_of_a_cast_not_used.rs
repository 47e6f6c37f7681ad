//! The outcome of a cast is not looked at.

#![deny(unused_must_use)]
#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = Connection)]
enum Event {
    #[call]
    Get { key: String, reply: Reply<String> },
    #[cast]
    Forget { key: String },
}

// `forget` is awaited to a `Result`.
async fn tell(connection: &ConnectionClient) {
    connection.forget("one".into()).await;
}

fn main() {}
