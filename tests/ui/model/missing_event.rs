use statem::StateMachine;

#[derive(StateMachine)]
#[machine(data = u32)]
enum Connection {
    #[initial]
    Disconnected,
}

fn main() {}
