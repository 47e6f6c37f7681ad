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
    #[to(Connected)]
    Dialling(Dialling),
    #[to(Dialling)]
    Connected(Connected),
}

struct Dialling {
    attempt: u32,
}

struct Connected {
    attempts: u32,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Dialling(s), E::Up) => s.go_with(|old| Connected { attempts: old.attempt }),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
