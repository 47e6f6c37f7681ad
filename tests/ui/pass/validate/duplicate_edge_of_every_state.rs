use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed)]
enum Connection {
    #[initial]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
