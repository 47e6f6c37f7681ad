use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<T> {
    #[initial]
    Connection,
    T,
    Ready(Ready<T>),
}

struct Ready<T>(T);

fn main() {}
