//! A state goes to a terminal state to which it declares no edge.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event {
    Start,
    Finish,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Upload {
    #[initial]
    #[to(Sending)]
    Waiting,
    #[to(Finished)]
    Sending,
    #[terminal]
    Finished,
}

impl Handler for Upload {
    fn handle(state: UploadAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (UploadAt::Waiting(s), Event::Start) => s.go(Sending),
            (UploadAt::Waiting(s), Event::Finish) => s.go(Finished),
            (UploadAt::Sending(s), Event::Finish) => s.go(Finished),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
