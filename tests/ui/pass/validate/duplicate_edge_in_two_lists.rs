use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connecting = "dial")]
    #[to(Failed)]
    Disconnected,
    #[to(Disconnected)]
    Connecting,
    #[terminal]
    Failed,
}

fn main() {}
