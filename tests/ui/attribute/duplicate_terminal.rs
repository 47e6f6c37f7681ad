//! A state is marked as terminal twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[terminal]
    #[terminal]
    Closed,
}

fn main() {}
