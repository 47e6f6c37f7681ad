//! `handle` takes the data without `&mut`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Add(u32),
}

#[derive(StateMachine)]
#[machine(event = Event, data = u32)]
enum Counter {
    #[initial]
    Counting,
}

impl Handler for Counter {
    fn handle(_: CounterAt<'_>, _: Event, total: u32, _: &mut Cx<Self>) -> Next<Self> {
        println!("{total}");
        keep()
    }
}

fn main() {}
