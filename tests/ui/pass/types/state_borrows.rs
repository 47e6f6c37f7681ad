#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Ping;

#[derive(StateMachine)]
#[machine(event = Ping)]
enum Worker<'a> {
    #[initial]
    Working(Working<'a>),
}

struct Working<'a> {
    job: &'a str,
}

impl<'a> Handler for Worker<'a> {
    fn handle(_: WorkerAt<'_, 'a>, _: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start(job: &'static str) {
    statem::spawn::<Worker>(Working { job }, ());
}

fn main() {}
