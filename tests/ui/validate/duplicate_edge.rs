//! A list has the same target twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected, Connected = "again")]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
