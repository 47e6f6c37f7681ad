//! Every state is terminal.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[terminal]
    Closed,
}

fn main() {}
