//! A machine is spawned with a state that cannot be sent to another thread.
#![allow(dead_code)]

use std::rc::Rc;

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Ping;

#[derive(StateMachine)]
#[machine(event = Ping)]
enum Worker {
    #[initial]
    Working(Working),
}

struct Working {
    job: Rc<str>,
}

impl Handler for Worker {
    fn handle(_: WorkerAt<'_>, _: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start() {
    statem::spawn::<Worker>(Working { job: Rc::from("one") }, ());
}

fn main() {}
