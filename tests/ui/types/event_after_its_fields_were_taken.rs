//! An event is postponed after a field of it was taken.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep, postpone};

enum Event {
    Say(String),
    Up,
}

#[derive(StateMachine)]
#[machine(event = Event, data = Vec<String>)]
enum Line {
    #[initial]
    #[to(Open)]
    Closed,
    #[to()]
    Open,
}

impl Handler for Line {
    fn handle(state: LineAt<'_>, event: Event, said: &mut Vec<String>, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (LineAt::Closed(s), Event::Up) => s.go(Open),
            (LineAt::Closed(_), event @ Event::Say(word)) => {
                said.push(word);
                postpone(event)
            }
            (LineAt::Open(_), Event::Say(word)) => {
                said.push(word);
                keep()
            }
            (LineAt::Open(_), Event::Up) => keep(),
        }
    }
}

fn main() {}
