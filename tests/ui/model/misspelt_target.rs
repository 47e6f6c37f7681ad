//! A target is misspelt.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Conected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
