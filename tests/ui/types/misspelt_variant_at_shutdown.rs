//! The event that asks the machine to drain is none of its events.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event {
    Drain,
}

#[derive(StateMachine)]
#[machine(event = Event, shutdown = Event::Drian)]
enum Lamp {
    #[initial]
    Off,
}

impl Handler for Lamp {
    fn handle(_: LampAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
