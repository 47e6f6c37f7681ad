//! The path of the library is a number.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, crate = 1)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
