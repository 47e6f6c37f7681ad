//! The way to every state is written with a wildcard.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(*)]
    Disconnected,
    #[to(Disconnected, Failed)]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
