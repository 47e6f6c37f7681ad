//! The type of the data does not exist.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data = Settings)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

struct Client;

fn main() {}
