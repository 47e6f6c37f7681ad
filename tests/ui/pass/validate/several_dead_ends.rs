use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Served, Refused)]
    Connecting,
    #[terminal]
    Served,
    #[to(Connecting)]
    Refused,
}

fn main() {}
