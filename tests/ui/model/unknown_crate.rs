//! The library is not where `crate` says.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, crate = crate::vendor::statem)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
