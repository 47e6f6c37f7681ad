//! The machine is declared with a word of Erlang.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[gen_statem(event = Event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
