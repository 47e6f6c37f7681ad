use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Failed)]
    Connected,
    #[to(Connected)]
    Failed(Failed),
}

struct Failed {
    attempts: u32,
    reason: String,
}

fn main() {}
