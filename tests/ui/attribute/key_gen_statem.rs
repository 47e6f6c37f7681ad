//! Erlang's `gen_statem` as a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(gen_statem, event = Event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
