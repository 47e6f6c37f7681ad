//! `enter` tries to go on to another state.
#![allow(dead_code)]

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

impl Handler for Connection {
    fn enter(&mut self, _: &mut (), cx: &mut EnterCx<Self>) {
        if let Self::Disconnected(_) = self {
            cx.go(Connecting);
        }
    }

    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (ConnectionAt::Disconnected(s), Event::Up) => s.go(Connecting),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
