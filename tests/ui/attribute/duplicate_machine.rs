//! There are two `#[machine(..)]`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[machine(data = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
