use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Dialing)]
    Idle,
    #[to(Connected, Idle)]
    Dialing,
    #[to(Idle)]
    Connected,
}

fn main() {}
