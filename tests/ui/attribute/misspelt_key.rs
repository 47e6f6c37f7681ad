//! A key is misspelt.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(evnet = Event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
