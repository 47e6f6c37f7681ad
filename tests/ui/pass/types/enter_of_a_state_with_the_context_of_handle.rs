#![allow(dead_code)]

use statem::{At, Cx, EnterCx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

impl State<Lamp> for Off {
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Lamp>) {
        cx.insert(Tick);
    }

    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        keep()
    }
}

fn main() {}
