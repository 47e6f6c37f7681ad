use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[initial]
enum Connection {
    #[initial]
    #[machine(data = u32)]
    Disconnected,
    Connected(#[to(Disconnected)] Connected),
}

struct Connected;

fn main() {}
