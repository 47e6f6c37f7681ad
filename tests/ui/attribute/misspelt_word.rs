//! The word of a key is misspelt.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "stopp")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
