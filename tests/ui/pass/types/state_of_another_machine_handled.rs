#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Fan {
    #[initial]
    Still,
}

impl State<Lamp> for Off {
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

impl State<Fan> for Still {
    fn handle(_: At<'_, Fan, Self>, _: Tick, _: &mut (), _: &mut Cx<Fan>) -> Next<Fan> {
        keep()
    }
}

fn main() {}
