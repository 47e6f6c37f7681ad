use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected, Resuming)]
    Disconnected,
    #[to(Disconnected, Draining)]
    Connected,
    #[to(Resumed)]
    Resuming,
    #[to(Connected)]
    Resumed,
    #[to(Disconnected)]
    Draining,
}

fn main() {}
