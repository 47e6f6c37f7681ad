//! A state holds a struct that there is not.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
enum Lamp {
    #[initial]
    #[to(Lit)]
    Off,
    #[to(Off)]
    Lit(Lit),
}

impl Handler for Lamp {
    fn handle(state: LampAt<'_>, tick: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            LampAt::Lit(s) => s.go(Off),
            LampAt::Off(_) => unexpected(tick),
        }
    }
}

fn main() {}
