use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Paused(Paused<Box<Connection>>),
}

struct Paused<T>(T);

fn main() {}
