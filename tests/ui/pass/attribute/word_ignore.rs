use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "warn")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
