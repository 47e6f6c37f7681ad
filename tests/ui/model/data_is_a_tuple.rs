//! The data of a state is a tuple.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Disconnected((u32, u32)),
}

fn main() {}
