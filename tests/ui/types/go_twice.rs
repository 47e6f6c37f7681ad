//! A state is left twice with `go`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

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
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Connecting(s), E::Up) => {
                drop(s.go(Connected { link: String::new() }));
                s.go(Disconnected { attempt: 0 })
            }
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
