use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to("Connecting")]
    Disconnected,
    #[to(Connection::Connected, Disconnected = refused)]
    Connecting,
    #[to(Disconnected(Disconnected), 7)]
    Connected(Connected),
    #[to(Connected Disconnected)]
    Resuming,
}

struct Connected;

fn main() {}
