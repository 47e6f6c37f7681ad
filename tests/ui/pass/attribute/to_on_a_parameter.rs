use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Closed)]
enum Connection<T> {
    #[initial]
    Connected(Connected<T>),
    #[terminal]
    Closed,
}

struct Connected<T>(T);

fn main() {}
