#![allow(dead_code)]
#![deny(private_interfaces)]

use statem::{Cx, Handler, Next, StateMachine, keep};

pub struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
pub enum Clock {
    #[initial]
    Ticking(Ticking),
}

pub struct Ticking {
    count: u32,
}

impl Handler for Clock {
    fn handle(_: ClockAt<'_>, _: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
