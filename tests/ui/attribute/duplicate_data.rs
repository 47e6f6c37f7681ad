//! The type of the data is given twice.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(data = u32, event = Event, data = u64)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
