//! A terminal state has a transition.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[terminal]
    #[to(Connected)]
    Closed,
}

fn main() {}
