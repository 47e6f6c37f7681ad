//! A public machine has data of a private type.
#![allow(dead_code, private_interfaces)]

use statem::{Cx, Handler, Next, StateMachine, keep};

pub struct Tick;
struct Count(u32);

#[derive(StateMachine)]
#[machine(event = Tick, data = Count)]
pub enum Clock {
    #[initial]
    Ticking,
}

impl Handler for Clock {
    fn handle(_: ClockAt<'_>, _: Tick, _: &mut Count, _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
