//! A guard is bound to `_`, which drops it at once.
#![allow(dead_code)]
#![deny(let_underscore_drop)]

use statem::{Cx, Guard, Handler, Next, StateMachine, unexpected};

enum Event {
    Start,
    Done(u32),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Job {
    #[initial]
    #[to(Running)]
    Idle,
    #[to(Idle)]
    Running(Running),
}

struct Running {
    work: Guard,
}

async fn work() -> u32 {
    42
}

impl Handler for Job {
    fn handle(state: JobAt<'_>, event: Event, _: &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (JobAt::Idle(s), Event::Start) => {
                let _ = cx.task(work(), Event::Done);
                s.go(Running { work: Guard::inert() })
            }
            (JobAt::Running(s), Event::Done(_)) => s.go(Idle),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
