#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Ping,
}

struct Ping;

#[derive(StateMachine)]
#[machine(event = Ping, timeout = Name)]
enum Session {
    #[initial]
    Joined,
}

impl Handler for Session {
    fn handle(_: SessionAt<'_>, ping: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(ping)
    }
}

fn main() {}
