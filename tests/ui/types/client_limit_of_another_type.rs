//! The limit of a call is no `Duration`.

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

const LIMIT: u64 = 2;

#[derive(Client)]
#[client(machine = Connection)]
enum Event {
    #[call(limit = LIMIT)]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
