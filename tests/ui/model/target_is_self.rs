//! A transition of a state to itself is written `Self`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Self, Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
