use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    Connected(Connected, u32),
    Failed(u32, String),
}

struct Connected;

fn main() {}
