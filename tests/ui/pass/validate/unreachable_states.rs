use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected, Draining)]
    Connected,
    #[terminal]
    Drained,
    #[to(Pausing, Drained)]
    Draining,
    #[to(Draining)]
    Pausing,
}

fn main() {}
