#![allow(dead_code)]
#![deny(unused_must_use)]

use std::time::Duration;

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Lease(u32),
    Late(u32),
}

#[derive(StateMachine)]
#[machine(event = Event, data = Vec<(u32, statem::Timer)>)]
enum Leases {
    #[initial]
    Open,
}

impl Handler for Leases {
    fn handle(_: LeasesAt<'_>, event: Event, out: &mut Vec<(u32, statem::Timer)>, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Lease(id) => {
                let late = cx.timer(Duration::from_secs(9), Event::Late(id));
                out.push((id, late));
            }
            Event::Late(late) => out.retain(|(id, _)| *id != late),
        }
        keep()
    }
}

fn main() {}
