#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Tick;

#[derive(Default)]
struct Kept {
    seen: u32,
}

#[derive(StateMachine)]
#[machine(event = Tick, data = Kept)]
enum Lamp {
    #[initial]
    Off,
}

impl Handler for Lamp {
    fn handle(state: LampAt<'_>, _: Tick, kept: &mut Kept, _: &mut Cx<Self>) -> Next<Self> {
        let LampAt::Off(_) = state;
        kept.seen += 1;
        keep()
    }
}

fn main() {}
