//! Enter calls are asked for as in Erlang.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[state_enter]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
