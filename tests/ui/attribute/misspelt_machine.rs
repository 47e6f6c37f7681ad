//! `#[machine(..)]` is misspelt.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machin(event = Event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
