//! A function for several states goes elsewhere than by the edge that it asks for.
#![allow(dead_code)]

use statem::{At, Cx, Handler, Next, Node, StateMachine, To, unexpected};

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

fn lost<S: Node<Connection> + To<Disconnected, Connection>>(at: At<'_, Connection, S>) -> Next<Connection> {
    at.go(Connecting)
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Connecting(s), E::Down) => lost(s),
            (S::Connected(s), E::Down) => lost(s),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
