//! A terminal state is marked `#[final]`.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected,
    #[r#final]
    Closed,
}

fn main() {}
