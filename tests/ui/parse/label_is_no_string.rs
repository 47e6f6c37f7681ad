//! The label of a transition is a name.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected = accepted)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
