use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, timeout = &'static str)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
