//! Erlang's `code_change` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, code_change)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
