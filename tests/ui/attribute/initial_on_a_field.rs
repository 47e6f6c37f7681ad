//! `#[initial]` stands within a variant.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[to(Closed)]
    Connected(#[initial] Connected),
    #[terminal]
    Closed,
}

struct Connected;

fn main() {}
