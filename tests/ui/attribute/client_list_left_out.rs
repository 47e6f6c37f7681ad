//! `#[client]` was written without its list.

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
#[client]
enum Event {
    #[call]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
