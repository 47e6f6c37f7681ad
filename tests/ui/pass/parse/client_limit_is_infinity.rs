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
    #[call(limit = Duration::MAX)]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
