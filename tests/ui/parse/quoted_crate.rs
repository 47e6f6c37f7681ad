//! The path of the library is written as a string.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, crate = "::statem")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
