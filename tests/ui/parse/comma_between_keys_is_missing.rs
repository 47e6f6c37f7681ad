//! Two keys are separated by a space.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event keep_abandoned)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
