#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

#[derive(StateMachine)]
#[machine(event = T)]
enum Cell<T> {
    #[initial]
    #[to(Full)]
    Vacant,
    #[to()]
    Full(Full<T>),
}

struct Full<T>(T);

impl<T> Handler for Cell<T> {
    fn handle(_: CellAt<'_, T>, _: T, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
