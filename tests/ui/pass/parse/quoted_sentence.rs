use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected = "when the socket is up")]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

fn main() {}
