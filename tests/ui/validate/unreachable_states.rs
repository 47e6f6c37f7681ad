//! Two states lead to each other and to a third, and nothing leads to them.
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
    #[terminal]
    Drained,
    #[to(Pausing, Drained)]
    Draining,
    #[to(Draining)]
    Pausing,
}

fn main() {}
