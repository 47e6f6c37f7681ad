//! A call is answered with an error through `send`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, Reply, StateMachine, keep};

#[derive(Debug)]
struct Full;

enum Event {
    Add(Reply<u32, Full>),
}

#[derive(StateMachine)]
#[machine(event = Event, data = u32)]
enum Counter {
    #[initial]
    Counting,
}

impl Handler for Counter {
    fn handle(_: CounterAt<'_>, event: Event, _: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        let Event::Add(reply) = event;
        let _ = reply.send(Err(Full));
        keep()
    }
}

fn main() {}
