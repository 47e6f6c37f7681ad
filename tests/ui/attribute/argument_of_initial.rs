//! `#[initial]` has an argument.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial(true)]
    Disconnected,
}

fn main() {}
