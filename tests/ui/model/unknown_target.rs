//! A target is no state of the machine.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected, Elsewhere)]
    Connected,
}

fn main() {}
