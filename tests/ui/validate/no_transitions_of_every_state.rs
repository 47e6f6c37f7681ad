//! `#[to()]` stands on the enum.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to()]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
