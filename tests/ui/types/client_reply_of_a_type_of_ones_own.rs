//! The reply of a call is of a type of the same name.

#![allow(dead_code, unused_imports)]

use statem::{Client, StateMachine};

struct Reply<T>(Option<T>);

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
}

fn main() {}
