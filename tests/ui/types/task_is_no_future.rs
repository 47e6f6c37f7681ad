//! A task is given what is no future.
#![allow(dead_code)]

use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};

enum Event {
    Dialled(usize),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Dialler {
    #[initial]
    Dialling,
}

fn dial() -> usize {
    1
}

impl Handler for Dialler {
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Self>) {
        cx.state_task(dial(), Event::Dialled);
    }

    fn handle(_: DiallerAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
