//! A client was derived on a union.

#![allow(dead_code, unused_imports)]

use statem::{Client, StateMachine};

#[derive(StateMachine)]
#[machine(event = Word)]
enum Connection {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = Connection)]
union Word {
    number: u32,
    letter: char,
}

fn main() {}
