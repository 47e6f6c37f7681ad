//! A public machine has an event that is private.
#![allow(dead_code, private_interfaces)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
pub enum Clock {
    #[initial]
    Ticking,
}

impl Handler for Clock {
    fn handle(_: ClockAt<'_>, _: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
