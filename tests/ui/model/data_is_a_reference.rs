//! The data of a state is a reference.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<'a> {
    #[initial]
    Disconnected(&'a str),
}

fn main() {}
