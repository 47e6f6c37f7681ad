//! `#[to()]` stands beside a transition of every state.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to()]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
