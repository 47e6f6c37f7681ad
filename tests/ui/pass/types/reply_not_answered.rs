#![allow(dead_code)]
#![deny(unused_must_use)]

use statem::{Cx, Handler, Next, Reply, StateMachine, keep};

enum Event {
    Total(Reply<u32>),
}

#[derive(StateMachine)]
#[machine(event = Event, data = u32)]
enum Counter {
    #[initial]
    Counting,
}

impl Handler for Counter {
    fn handle(_: CounterAt<'_>, event: Event, total: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        let Event::Total(reply) = event;
        let _ = reply.send(*total);
        keep()
    }
}

fn main() {}
