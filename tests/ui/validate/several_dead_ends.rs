//! Two states have no way out.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Served, Refused)]
    Connecting,
    Served,
    Refused,
}

fn main() {}
