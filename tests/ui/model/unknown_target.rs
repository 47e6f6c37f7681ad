use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Conected)]
    Disconnected,
    #[to(Link, Elsewhere)]
    Connected(Link),
}

struct Link;

fn main() {}
