//! Erlang's `handle_event_function` as the kind of handlers.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, handlers = "handle_event_function")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
