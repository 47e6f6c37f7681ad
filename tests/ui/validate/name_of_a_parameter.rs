//! A variant without data is named like a type parameter.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<Link> {
    #[initial]
    #[to(Link)]
    Connected(Connected<Link>),
    #[to(Connected)]
    Link,
}

struct Connected<T>(T);

fn main() {}
