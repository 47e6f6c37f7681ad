use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Connected, Connected = "again")]
    Disconnected,
    #[to(Disconnected)]
    #[to(Failed)]
    Connected,
    #[terminal]
    Failed,
}

fn main() {}
