//! The error of a reply is hidden in a type of its name.

#![allow(dead_code, unused_imports)]

use statem::{Client, StateMachine};

struct Missing;

type Reply<T> = statem::Reply<T, Missing>;

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
    Get { key: String, reply: Reply<u32> },
}

fn main() {}
