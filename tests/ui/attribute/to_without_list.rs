//! `#[to]` has no list of targets.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to]
    Connected,
    #[terminal]
    Closed,
}

fn main() {}
