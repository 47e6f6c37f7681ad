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
    fn handle(_: ClockAt<'_>, _: Tick, ticks: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        *ticks += 1;
        keep()
    }
}

fn start() {
    statem::spawn(Ticking, 0);
}

fn main() {}
