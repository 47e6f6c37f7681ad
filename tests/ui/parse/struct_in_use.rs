//! The machine is a struct, and is used.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
struct Connection {
    attempt: u32,
}

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {
    let _ = Connection { attempt: 0 }.attempt;
}
