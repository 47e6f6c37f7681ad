//! A machine is spawned whose event cannot be sent to another thread.
#![allow(dead_code)]

use std::rc::Rc;

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Named(Rc<str>),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Worker {
    #[initial]
    Working,
}

impl Handler for Worker {
    fn handle(_: WorkerAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start() {
    statem::spawn::<Worker>(Working, ());
}

fn main() {}
