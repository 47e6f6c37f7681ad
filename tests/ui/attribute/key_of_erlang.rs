use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, callback_mode = "state_functions", initial = Disconnected)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
