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
    Searching(Searching),
    #[to()]
    Linked,
}

struct Searching {
    attempts: u32,
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
