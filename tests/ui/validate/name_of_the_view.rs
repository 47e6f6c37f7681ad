//! A variant without data is named like what the handler is given.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    ConnectionAt,
}

fn main() {}
