use statem::StateMachine;

enum Event {
    Drain,
}

#[derive(StateMachine)]
#[machine(event = Event, shutdown = Event::Drain)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
