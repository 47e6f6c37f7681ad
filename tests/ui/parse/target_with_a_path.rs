//! A target is written with the name of the enum.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connection::Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
