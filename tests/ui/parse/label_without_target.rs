//! There is a label, but no target.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(= "accepted")]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
