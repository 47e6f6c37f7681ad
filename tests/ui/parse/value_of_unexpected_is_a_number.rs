//! What `unexpected` does is given as a number.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = 1)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
