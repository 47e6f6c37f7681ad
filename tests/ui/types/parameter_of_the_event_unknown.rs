//! The event has a parameter that the machine does not have.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Event<T>(T);

#[derive(StateMachine)]
#[machine(event = Event<T>)]
enum Lamp {
    #[initial]
    Off,
}

impl Handler for Lamp {
    fn handle(_: LampAt<'_>, _: Event<u8>, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
