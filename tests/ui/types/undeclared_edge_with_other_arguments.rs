//! A state of a generic machine goes to a state of the machine with other arguments.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

struct Put(u32);

#[derive(StateMachine)]
#[machine(event = Put)]
enum Cell<T> {
    #[initial]
    #[to(Full)]
    Vacant,
    #[to()]
    Full(Full<T>),
}

struct Full<T>(T);

impl Handler for Cell<u32> {
    fn handle(state: CellAt<'_, u32>, put: Put, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            CellAt::Vacant(s) => s.go(Full(u64::from(put.0))),
            CellAt::Full(_) => unexpected(put),
        }
    }
}

fn main() {}
