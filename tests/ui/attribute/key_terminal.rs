//! The terminal state is named in a key.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, terminal = Closed)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    Closed,
}

fn main() {}
