//! A terminal state has `#[to()]`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[terminal]
    #[to()]
    Closed,
}

fn main() {}
