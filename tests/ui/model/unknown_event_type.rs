//! The type of the events is misspelt.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Evnt)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
