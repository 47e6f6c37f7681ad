use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
