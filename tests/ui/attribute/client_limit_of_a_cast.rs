//! A cast was given a limit.

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
    #[cast(limit = Duration::from_secs(1))]
    Forget { key: String },
    #[call(limit = Duration::from_secs(2))]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
