//! A handler is written for a struct that is no state of the machine.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

struct Stranger;

impl State<Lamp> for Stranger {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

impl State<Lamp> for Off {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

fn main() {}
