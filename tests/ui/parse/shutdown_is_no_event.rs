//! The shutdown event is no value.
use statem::StateMachine;

enum Event {
    Drain,
}

#[derive(StateMachine)]
#[machine(event = Event, shutdown = enum)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
