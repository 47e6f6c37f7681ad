#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    #[to(Broken)]
    On,
    #[terminal]
    Broken,
}

impl State<Lamp> for On {
    fn handle(at: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        if false { at.go(Broken) } else { keep() }
    }
}

fn main() {}
