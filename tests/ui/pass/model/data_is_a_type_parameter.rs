use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<Link> {
    #[initial]
    Connected(Connected<Link>),
}

struct Connected<Link>(Link);

fn main() {}
