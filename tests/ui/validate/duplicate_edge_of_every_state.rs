//! The list on the enum has the same target twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed, Failed)]
enum Connection {
    #[initial]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
