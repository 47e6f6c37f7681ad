//! A machine with a handler for each state has one for all of them too.
#![allow(dead_code)]

use statem::{At, Cx, Handler, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

impl State<Lamp> for Off {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

impl Handler for Lamp {
    fn handle(_: LampAt<'_>, _: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
