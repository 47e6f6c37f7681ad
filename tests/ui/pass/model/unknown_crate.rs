use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, crate = ::statem)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
