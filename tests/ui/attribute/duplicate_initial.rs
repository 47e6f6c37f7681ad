//! A state is marked as initial twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[initial]
    Disconnected,
}

fn main() {}
