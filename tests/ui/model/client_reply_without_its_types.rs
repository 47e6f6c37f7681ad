//! The types of a reply are hidden in a type of its name.

#![allow(dead_code, unused_imports)]

use statem::{Client, StateMachine};

struct Missing;

type Reply = statem::Reply<u32, Missing>;

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
    Get { key: String, reply: Reply },
}

fn main() {}
