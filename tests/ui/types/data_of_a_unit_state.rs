//! A field is read of a state that has no struct of its own.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Link {
    #[initial]
    #[to(Linked)]
    Searching,
    #[to()]
    Linked,
}

impl Handler for Link {
    fn handle(state: LinkAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (LinkAt::Searching(s), Event::Up) if s.attempts > 0 => s.go(Linked),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
