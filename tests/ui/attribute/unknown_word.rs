use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, handlers = "state_functions", unexpected = "stopp")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
