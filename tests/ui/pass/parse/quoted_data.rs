use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, data = Client)]
enum Connection {
    #[initial]
    Disconnected,
}

struct Client;

fn main() {}
