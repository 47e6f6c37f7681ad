use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<Link> {
    #[initial]
    #[to(Linked)]
    Connected(Connected<Link>),
    #[to(Connected)]
    Linked,
}

struct Connected<T>(T);

fn main() {}
