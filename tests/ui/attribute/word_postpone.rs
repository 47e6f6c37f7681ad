//! Unexpected events are to be postponed.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "postpone")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
