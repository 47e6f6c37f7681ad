//! A view is made of a slot of the user's own.
#![allow(dead_code)]

use statem::{At, Cx, Handler, Next, StateMachine, unexpected};

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
            (S::Connecting(_), E::Up) => {
                let mut own = Some(Connection::Disconnected(Disconnected { attempt: 0 }));
                let slot = statem::__private::Slot::new(&mut own);
                At::<Connection, Disconnected>::new(slot).go(Connecting)
            }
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
