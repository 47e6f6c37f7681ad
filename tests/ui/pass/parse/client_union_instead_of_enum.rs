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
enum Word {
    #[cast]
    Number(u32),
    #[cast]
    Letter(char),
}

fn main() {}
