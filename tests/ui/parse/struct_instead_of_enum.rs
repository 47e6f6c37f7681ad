//! The machine is a struct.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
struct Connection {
    attempt: u32,
}

fn main() {}
