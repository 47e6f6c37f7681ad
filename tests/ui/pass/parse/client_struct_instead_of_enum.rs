#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Get)]
enum Connection {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = Connection)]
enum Get {
    #[call]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
