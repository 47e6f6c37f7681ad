//! The type of replies is given as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, reply = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
