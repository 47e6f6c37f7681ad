//! The type of the names of timeouts cannot be copied.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, timeout = String)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
