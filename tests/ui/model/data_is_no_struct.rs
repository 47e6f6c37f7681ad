use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<T> {
    #[initial]
    Disconnected((u32, u32)),
    Connecting(&'static str),
    Connected(T),
    Waiting(Box<Self>),
}

fn main() {}
