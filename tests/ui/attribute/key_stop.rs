//! Erlang's `stop` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, stop)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
