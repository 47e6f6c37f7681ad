//! The `enter` of a state takes the context of `handle`.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

impl State<Lamp> for Off {
    fn enter(&mut self, _: &mut (), cx: &mut Cx<Lamp>) {
        cx.insert(Tick);
    }

    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

fn main() {}
