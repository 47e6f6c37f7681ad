//! There is no type after `data =`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data =)]
enum Connection {
    #[initial]
    Disconnected,
}

struct Client;

fn main() {}
