//! A key is given a word that it does not take.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "shrug")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
