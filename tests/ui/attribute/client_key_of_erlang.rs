//! The machine of a client was named by a word of Erlang.

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
#[client(gen_server = Connection)]
enum Event {
    #[call]
    Get { key: String, reply: Reply<String> },
}

fn main() {}
