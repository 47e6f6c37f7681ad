#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep, stop};

struct Number(String);

#[derive(StateMachine)]
#[machine(event = Number, data = u32)]
enum Sum {
    #[initial]
    Adding,
}

impl Handler for Sum {
    fn handle(_: SumAt<'_>, number: Number, sum: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        match number.0.parse::<u32>() {
            Ok(number) => *sum += number,
            Err(error) => return stop(error),
        }
        keep()
    }
}

fn main() {}
