use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(evnet = Event, colour = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
