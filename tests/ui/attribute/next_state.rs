//! Transitions are declared with a word of Erlang.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[next_state(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
