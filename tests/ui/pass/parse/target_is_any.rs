use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected, Failed)]
    Disconnected,
    #[to(Disconnected, Failed)]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
