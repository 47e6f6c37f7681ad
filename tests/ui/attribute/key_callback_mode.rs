//! Erlang's `callback_mode` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, callback_mode = handle_event_function)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
