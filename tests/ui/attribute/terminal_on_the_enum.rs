//! The enum is marked as terminal.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[terminal]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[terminal]
    Closed,
}

fn main() {}
