use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Closed)]
    Connected(Connected),
    #[terminal]
    Closed,
}

struct Connected;

fn main() {}
