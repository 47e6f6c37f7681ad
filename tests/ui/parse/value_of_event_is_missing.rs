//! There is no type after `event`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
