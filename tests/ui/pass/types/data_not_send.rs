#![allow(dead_code)]

use std::sync::Arc;

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Ping;

struct Settings {
    name: Arc<str>,
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
    statem::spawn::<Worker>(Working, Settings { name: Arc::from("one") });
}

fn main() {}
