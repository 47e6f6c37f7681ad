//! There is a key that does not exist.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, colour = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
