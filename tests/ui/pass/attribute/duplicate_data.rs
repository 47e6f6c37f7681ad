use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(data = u32, event = Event)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
