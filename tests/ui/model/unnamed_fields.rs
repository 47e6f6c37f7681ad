//! A variant has several fields.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Failed)]
    Connected,
    #[to(Connected)]
    Failed(u32, String),
}

fn main() {}
