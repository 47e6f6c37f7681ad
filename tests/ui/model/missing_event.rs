//! `#[machine(..)]` does not name the type of the events.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(data = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
