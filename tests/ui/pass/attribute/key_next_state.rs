use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Disconnected)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
