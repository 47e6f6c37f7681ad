//! A function that reads the struct of a state is given one without a struct.
#![allow(dead_code)]

use statem::{At, Cx, Handler, Next, Payload, StateMachine, unexpected};

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

fn report<S: Payload<Connection>>(at: &At<'_, Connection, S>) {
    println!("{} bytes", size_of_val::<S>(at));
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Connecting(s), E::Up) => {
                report(&s);
                s.go(Disconnected { attempt: 0 })
            }
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
