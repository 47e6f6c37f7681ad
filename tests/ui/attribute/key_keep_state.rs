//! Erlang's `keep_state` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, keep_state)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
