//! The only state of a machine goes to itself.
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
        let ClockAt::Ticking(s) = state;
        *ticks += 1;
        if *ticks > 9 { s.go(Ticking) } else { keep() }
    }
}

fn main() {}
