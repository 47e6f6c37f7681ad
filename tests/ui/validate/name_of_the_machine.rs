//! A variant without data is named like the machine.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Connection,
}

fn main() {}
