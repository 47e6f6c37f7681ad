use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, crate = ::statem)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
