//! A variant has the struct of its state and one more field.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected, u32),
}

struct Connected {
    link: u32,
}

fn main() {}
