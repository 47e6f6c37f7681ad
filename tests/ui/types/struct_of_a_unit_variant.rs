//! The user declares the struct of a state without data, which the derive declares.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick)]
enum Lamp {
    #[initial]
    #[to(On)]
    Off,
    #[to(Off)]
    On,
}

struct On;

impl Handler for Lamp {
    fn handle(state: LampAt<'_>, tick: Tick, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            LampAt::On(s) => s.go(Off),
            LampAt::Off(_) => unexpected(tick),
        }
    }
}

fn main() {}
