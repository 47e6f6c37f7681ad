#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
enum Light {
    #[initial]
    #[to(Yellow)]
    Green,
    #[to(Red)]
    Yellow,
    #[to(Green)]
    Red,
}

impl Handler for Light {
    fn handle(state: LightAt<'_>, _: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            LightAt::Green(s) => s.go(Yellow),
            LightAt::Yellow(s) => s.go(Red),
            LightAt::Red(_) => keep(),
        }
    }
}

fn main() {}
