use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
