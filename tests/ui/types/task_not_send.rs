//! A task holds something over an `await` that cannot be sent to another thread.
#![allow(dead_code)]

use std::rc::Rc;

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

async fn wait() {}

impl Handler for Dialler {
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Self>) {
        let dial = async {
            let name = Rc::new(1);
            wait().await;
            *name
        };
        cx.state_task(dial, Event::Dialled);
    }

    fn handle(_: DiallerAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
