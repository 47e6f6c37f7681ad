//! Unexpected events are to be ignored.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "ignore")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
