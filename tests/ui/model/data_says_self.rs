//! The data of a state mentions `Self`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Paused(Paused<Box<Self>>),
}

struct Paused<T>(T);

fn main() {}
