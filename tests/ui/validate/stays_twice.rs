//! `#[to()]` is there twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to()]
    #[to()]
    Connected,
}

fn main() {}
