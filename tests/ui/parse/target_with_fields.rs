//! A target is written like a struct with fields.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected { link: 1 })]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected),
}

struct Connected {
    link: u32,
}

fn main() {}
