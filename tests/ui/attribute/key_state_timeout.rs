//! Erlang's `state_timeout` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, state_timeout = 5000)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
