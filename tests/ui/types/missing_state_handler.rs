//! One of the states of a machine with a handler for each has none.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    #[to(On)]
    Off,
    #[to(Off)]
    On,
}

impl State<Lamp> for Off {
    fn handle(at: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        at.go(On)
    }
}

fn stay() -> Next<Lamp> {
    keep()
}

fn start() {
    statem::spawn::<Lamp>(Off, ());
}

fn main() {}
