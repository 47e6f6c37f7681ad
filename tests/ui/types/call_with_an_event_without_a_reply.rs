//! A machine is called with an event that carries no reply.
#![allow(dead_code)]

use statem::{Cx, Handle, Handler, Next, Reply, StateMachine, keep};

enum Event {
    Add(u32),
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
            Event::Add(n) => *total += n,
            Event::Total(reply) => assert!(reply.send(*total).is_ok()),
        }
        keep()
    }
}

async fn add(counter: &Handle<Counter>) {
    let _ = counter.call(Event::Add).await;
}

fn main() {}
