use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "stop")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
