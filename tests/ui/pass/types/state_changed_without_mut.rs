#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep, unexpected};

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
            (S::Disconnected(mut s), E::Down) => {
                s.attempt += 1;
                keep()
            }
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
