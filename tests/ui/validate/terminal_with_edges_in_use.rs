//! A terminal state goes on to another, in a machine whose handler handles it.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine};

enum Event {
    Retry,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Job {
    #[initial]
    #[to(Failed)]
    Running,
    #[terminal]
    #[to(Running)]
    Failed,
}

impl Handler for Job {
    fn handle(state: JobAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (JobAt::Running(s), Event::Retry) => s.go(Failed),
            (JobAt::Failed(s), Event::Retry) => s.go(Running),
        }
    }
}

fn main() {}
