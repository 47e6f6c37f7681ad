#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

struct Missing;

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
    Get { key: String, reply: Reply<u32, Missing> },
}

fn main() {}
