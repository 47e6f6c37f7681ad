//! Two states are cut off, and the first leads to a third.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
    #[to(Resumed)]
    Resuming,
    #[to(Connected)]
    Resumed,
    #[to(Disconnected)]
    Draining,
}

fn main() {}
