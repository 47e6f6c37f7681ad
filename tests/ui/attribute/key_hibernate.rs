//! Erlang's `hibernate` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, hibernate)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
