//! The machine of a client was given as a value.

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
#[client(machine = 1)]
enum Event {
    #[call]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
