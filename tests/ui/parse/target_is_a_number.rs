//! A target is a number.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(2)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
