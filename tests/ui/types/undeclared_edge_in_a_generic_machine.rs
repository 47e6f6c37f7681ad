//! A state of a generic machine goes where it declares no edge to.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event<T> {
    Push(T),
    Clear,
}

#[derive(StateMachine)]
#[machine(event = Event<T>)]
enum Queue<T> {
    #[initial]
    #[to(Filled)]
    Empty,
    #[to(Empty)]
    Filled(Filled<T>),
}

struct Filled<T>(T);

impl<T: Send + 'static> Handler for Queue<T> {
    fn handle(state: QueueAt<'_, T>, event: Event<T>, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (QueueAt::Empty(s), Event::Push(item)) => s.go(Filled(item)),
            (QueueAt::Filled(s), Event::Push(item)) => s.go(Filled(item)),
            (QueueAt::Filled(s), Event::Clear) => s.go(Empty),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
