//! The limit of a call was given as a string.

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
    #[call(limit = "2s")]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
