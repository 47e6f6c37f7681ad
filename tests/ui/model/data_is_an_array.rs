//! The data of a state is an array.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<const N: usize> {
    #[initial]
    Disconnected([u8; N]),
}

fn main() {}
