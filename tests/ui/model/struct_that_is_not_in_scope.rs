//! The struct of a state is in a module.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected),
}

mod states {
    pub struct Connected;
}

fn main() {}
