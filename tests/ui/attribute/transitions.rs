//! Transitions are declared with a word of another library.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[transitions(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
