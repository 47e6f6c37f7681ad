//! There is no `#[client(..)]`.

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
// The client of the connection.
enum Event {
    #[call]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
