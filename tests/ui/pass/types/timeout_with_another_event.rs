#![allow(dead_code)]

use std::time::Duration;

use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};

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

struct Late;

impl Handler for Connection {
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Self>) {
        cx.state_timeout(Duration::from_secs(5), Event::Down);
    }

    fn handle(_: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

fn main() {}
