//! A machine is spawned whose data cannot be sent to another thread.
#![allow(dead_code)]

use std::rc::Rc;

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Ping;

struct Settings {
    name: Rc<str>,
}

#[derive(StateMachine)]
#[machine(event = Ping, data = Settings)]
enum Worker {
    #[initial]
    Working,
}

impl Handler for Worker {
    fn handle(_: WorkerAt<'_>, _: Ping, _: &mut Settings, _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start() {
    statem::spawn::<Worker>(Working, Settings { name: Rc::from("one") });
}

fn main() {}
