//! No transition leaves a state that is not terminal.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    Connected,
}

fn main() {}
