use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data = Client)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

struct Client;

fn main() {}
