#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, data = u32)]
enum Clock {
    #[initial]
    Ticking,
}

impl Handler for Clock {
    fn handle(state: ClockAt<'_>, _: Tick, ticks: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        let ClockAt::Ticking(_) = state;
        *ticks += 1;
        keep()
    }
}

fn main() {}
