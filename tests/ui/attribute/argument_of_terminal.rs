//! `#[terminal]` has a value.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[terminal = "goodbye"]
    Closed,
}

fn main() {}
