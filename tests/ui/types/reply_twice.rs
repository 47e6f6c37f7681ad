//! A call is answered twice.
#![allow(dead_code)]

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
        match event {
            Event::Total(reply) => {
                let _ = reply.send(*total);
                let _ = reply.send(0);
            }
        }
        keep()
    }
}

fn main() {}
