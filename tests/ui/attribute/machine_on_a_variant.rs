//! `#[machine(..)]` stands above a variant.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[machine(data = u32)]
    Disconnected,
}

fn main() {}
