//! The timeouts of a public machine have names of a private type.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

pub struct Tick;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Tick,
}

#[derive(StateMachine)]
#[machine(event = Tick, timeout = Name)]
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
