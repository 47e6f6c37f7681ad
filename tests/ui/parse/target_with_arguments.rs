//! A target is written with type arguments.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<T> {
    #[initial]
    #[to(Connected<T>)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected<T>),
}

struct Connected<T>(T);

fn main() {}
