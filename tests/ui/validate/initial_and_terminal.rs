//! A state is initial and terminal.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[initial]
    #[terminal]
    Closed,
}

fn main() {}
