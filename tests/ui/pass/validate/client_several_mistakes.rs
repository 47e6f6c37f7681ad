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
    #[call(limit = Duration::from_millis(5000))]
    Get { key: String, reply: Reply<String> },
    #[call]
    Forget { key: String, reply: Reply<bool> },
    #[call]
    Length { reply: Reply<usize> },
    #[call]
    Total(Reply<u32>),
}

fn main() {}
