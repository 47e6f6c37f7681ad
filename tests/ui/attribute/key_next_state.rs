//! Erlang's `next_state` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, next_state = Disconnected)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
