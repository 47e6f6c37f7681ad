//! The enum is marked as initial.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[initial]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
