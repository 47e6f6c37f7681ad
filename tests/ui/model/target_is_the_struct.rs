//! A target is the struct of a state, and not its variant.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Link)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Link),
}

struct Link;

fn main() {}
