//! `handle` takes the context of another machine.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

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

#[derive(StateMachine)]
#[machine(event = Event)]
enum Session {
    #[initial]
    Joined,
}

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, _: Event, _: &mut (), _: &mut Cx<Session>) -> Next<Self> {
        keep()
    }
}

fn main() {}
