#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Door {
    #[initial]
    #[to(Open = "unlocked")]
    Shut,
    #[to(Shut)]
    Open,
}

fn main() {}
