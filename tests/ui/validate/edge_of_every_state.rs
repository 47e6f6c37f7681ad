//! A state declares a transition that every state has.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected, Failed)]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
