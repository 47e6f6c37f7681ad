//! The type of the events is given twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data = u32, event = u8)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
