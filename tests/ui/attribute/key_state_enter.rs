//! Erlang's `state_enter` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, state_enter)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
