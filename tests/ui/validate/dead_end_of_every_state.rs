//! The one transition of every state leads back to the state that cannot be left.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Halted)]
enum Connection {
    #[initial]
    Connected,
    Halted,
}

fn main() {}
