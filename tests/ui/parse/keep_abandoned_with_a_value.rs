//! A key without a value has one.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, keep_abandoned = true)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
