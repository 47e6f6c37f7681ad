use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = "Event", data, handlers = per_state, keep_abandoned = true, shutdown = fn, unexpected = "stop" "warn")]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
