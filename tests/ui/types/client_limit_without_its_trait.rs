//! A limit is set at a call without the trait in scope.

#![allow(dead_code, unused_imports)]

use std::time::Duration;

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

async fn ask(connection: &ConnectionClient) {
    drop(connection.get("one".into()).limit(Duration::from_secs(1)).await);
}

fn main() {}
