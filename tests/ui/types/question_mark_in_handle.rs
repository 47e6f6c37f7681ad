//! A handler uses `?`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Number(String);

#[derive(StateMachine)]
#[machine(event = Number, data = u32)]
enum Sum {
    #[initial]
    Adding,
}

impl Handler for Sum {
    fn handle(_: SumAt<'_>, number: Number, sum: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        *sum += number.0.parse::<u32>()?;
        keep()
    }
}

fn main() {}
