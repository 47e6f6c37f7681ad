//! `#[to(..)]` stands within a variant.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Connected(#[to(Closed)] Connected),
    #[terminal]
    Closed,
}

struct Connected;

fn main() {}
