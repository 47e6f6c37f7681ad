//! `handle` takes another event than the machine's.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connecting)]
    Disconnected(Disconnected),
    #[to(Connected, Disconnected)]
    Connecting,
    #[to(Disconnected)]
    Connected(Connected),
}

struct Disconnected {
    attempt: u32,
}

struct Connected {
    link: String,
}

struct Other;

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, _: Other, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
