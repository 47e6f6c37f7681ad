#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Disconnected(Disconnected),
}

struct Disconnected {
    attempts: (u32, u32),
}

fn main() {}
