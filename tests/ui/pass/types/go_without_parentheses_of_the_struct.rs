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

struct Attempt(u32);

#[derive(StateMachine)]
#[machine(event = Event)]
enum Dialler {
    #[initial]
    #[to(Dialling)]
    Idle,
    #[to()]
    Dialling(Attempt),
}

impl Handler for Dialler {
    fn handle(state: DiallerAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            DiallerAt::Idle(s) => s.go(Attempt(1)),
            DiallerAt::Dialling(_) => unexpected(event),
        }
    }
}

fn main() {}
