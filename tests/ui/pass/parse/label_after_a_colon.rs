#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Door {
    #[initial]
    #[to(Open = "pushed")]
    Shut,
    #[to(Shut)]
    Open,
}

fn main() {}
