use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Halted)]
enum Connection {
    #[initial]
    Connected,
    #[to()]
    Halted,
}

fn main() {}
