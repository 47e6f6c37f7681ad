//! A terminal state is marked `#[end]`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[end]
    Closed,
}

fn main() {}
