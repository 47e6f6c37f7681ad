//! Erlang's `init` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, init = Disconnected)]
enum Connection {
    Disconnected,
}

fn main() {}
