//! Two variants give one method.

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
    GetUrl { reply: Reply<String> },
    #[call]
    GetURL { of: String, reply: Reply<String> },
}

fn main() {}
