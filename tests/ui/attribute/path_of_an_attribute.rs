//! An attribute is written with a path.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[statem::to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
