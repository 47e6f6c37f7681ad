//! `enter` is `async`, which it cannot be: what takes time is a task.
#![allow(dead_code)]

use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};

enum Event {
    Dialled(bool),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Dialler {
    #[initial]
    Dialling,
}

async fn dial() -> bool {
    true
}

impl Handler for Dialler {
    async fn enter(&mut self, _: &mut (), _: &mut EnterCx<Self>) {
        dial().await;
    }

    fn handle(_: DiallerAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
