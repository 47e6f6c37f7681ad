//! Several mistakes are reported in one build.

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
    #[call(timeout = 5000)]
    Get { key: String, reply: Reply<String> },
    #[cast]
    Forget { key: String, reply: Reply<bool> },
    #[call]
    Length,
    #[call]
    #[call]
    GET(Reply<u32>),
}

fn main() {}
