#![allow(dead_code)]

use std::sync::Arc;

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Ping;

#[derive(StateMachine)]
#[machine(event = Ping)]
enum Worker {
    #[initial]
    Working(Working),
}

struct Working {
    job: Arc<str>,
}

impl Handler for Worker {
    fn handle(_: WorkerAt<'_>, _: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start() {
    statem::spawn::<Worker>(Working { job: Arc::from("one") }, ());
}

fn main() {}
