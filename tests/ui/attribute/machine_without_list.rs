//! `#[machine]` has no keys.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine]
enum Connection {
    #[initial]
    Connected,
}

fn main() {}
