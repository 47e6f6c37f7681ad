use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial(true)]
    #[to]
    Disconnected,
    #[to = "Disconnected"]
    Connecting,
}

fn main() {}
