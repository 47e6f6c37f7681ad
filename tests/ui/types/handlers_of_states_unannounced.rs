//! Handlers are written for the states of a machine that does not say so.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
enum Lamp {
    #[initial]
    #[to(On)]
    Off,
    #[to()]
    On,
}

impl State<Lamp> for Off {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

impl State<Lamp> for On {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

fn start() {
    statem::spawn::<Lamp>(Off, ());
}

fn main() {}
