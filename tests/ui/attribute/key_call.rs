//! The type of calls is given as a key of its own.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, call = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
