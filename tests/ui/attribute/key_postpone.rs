//! Erlang's `postpone` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, postpone)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
