//! The view of a state is kept in the data of the machine.
#![allow(dead_code)]

use statem::{At, Cx, Handler, Next, StateMachine, keep};

struct Tick;

#[derive(Default)]
struct Kept {
    at: Option<At<'static, Lamp, Off>>,
}

#[derive(StateMachine)]
#[machine(event = Tick, data = Kept)]
enum Lamp {
    #[initial]
    Off,
}

impl Handler for Lamp {
    fn handle(state: LampAt<'_>, _: Tick, kept: &mut Kept, _: &mut Cx<Self>) -> Next<Self> {
        let LampAt::Off(at) = state;
        kept.at = Some(at);
        keep()
    }
}

fn main() {}
