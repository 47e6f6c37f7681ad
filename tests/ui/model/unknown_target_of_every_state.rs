//! A target on the enum is no state of the machine.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Aborted)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
