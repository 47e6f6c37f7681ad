//! The data of a state is a type parameter.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<Link> {
    #[initial]
    Connected(Link),
}

fn main() {}
