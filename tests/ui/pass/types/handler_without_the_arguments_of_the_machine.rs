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

impl Handler for Cell<u8> {
    fn handle(_: CellAt<'_, u8>, _: u8, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
