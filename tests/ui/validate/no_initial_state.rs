//! No state is initial.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
