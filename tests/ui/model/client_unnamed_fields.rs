//! A call has several parameters without names.

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
    Put(String, u32, Reply<bool>),
}

fn main() {}
