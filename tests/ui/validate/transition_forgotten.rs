//! The one transition of the initial state is not declared, so nothing else is reached.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Idle,
    #[to(Connected, Idle)]
    Dialing,
    #[to(Idle)]
    Connected,
}

fn main() {}
