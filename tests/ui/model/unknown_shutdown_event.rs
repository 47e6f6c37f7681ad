//! The shutdown event is misspelt.
use statem::StateMachine;

enum Event {
    Drain,
}

#[derive(StateMachine)]
#[machine(event = Event, shutdown = Event::Drian)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
