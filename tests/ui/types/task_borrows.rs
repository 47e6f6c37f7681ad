//! A task borrows from the data of the machine.
#![allow(dead_code)]

use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};

enum Event {
    Dialled(usize),
}

#[derive(StateMachine)]
#[machine(event = Event, data = String)]
enum Dialler {
    #[initial]
    Dialling,
}

async fn dial(address: &str) -> usize {
    address.len()
}

impl Handler for Dialler {
    fn enter(&mut self, address: &mut String, cx: &mut EnterCx<Self>) {
        cx.state_task(dial(address), Event::Dialled);
    }

    fn handle(_: DiallerAt<'_>, event: Event, _: &mut String, _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
