use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected, Waiting)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
    #[to(Connected)]
    Waiting,
}

fn main() {}
