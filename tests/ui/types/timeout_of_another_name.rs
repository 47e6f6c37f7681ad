//! A timeout is named by a value of another type than the machine's.
#![allow(dead_code)]

use std::time::Duration;

use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};

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
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Self>) {
        cx.timeout("ping", Duration::from_secs(30), Ping);
    }

    fn handle(_: SessionAt<'_>, ping: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(ping)
    }
}

fn main() {}
