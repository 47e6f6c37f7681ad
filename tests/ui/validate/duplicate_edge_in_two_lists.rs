//! Two lists of a state have the same target.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connecting = "dial")]
    #[to(Failed, Connecting)]
    Disconnected,
    #[to(Disconnected)]
    Connecting,
    #[terminal]
    Failed,
}

fn main() {}
