use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Disconnected,
    #[end]
    Closed,
    #[r#final]
    Failed,
}

fn main() {}
