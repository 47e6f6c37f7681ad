//! The machine is a union.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
union Connection {
    attempt: u32,
}

fn main() {}
