//! Erlang's `terminate` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, terminate = close)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
