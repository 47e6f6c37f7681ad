//! A target is a string that is no name at all.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to("when the socket is up")]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
