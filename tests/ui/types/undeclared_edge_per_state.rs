//! The handler of a state goes where the state declares no edge to.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
#[machine(event = Event, handlers = "per_state")]
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

impl State<Connection> for Disconnected {
    fn handle(at: At<'_, Connection, Self>, event: Event, _: &mut (), _: &mut Cx<Connection>) -> Next<Connection> {
        match event {
            Event::Up => at.go(Connecting),
            Event::Down => keep(),
        }
    }
}

impl State<Connection> for Connecting {
    fn handle(at: At<'_, Connection, Self>, event: Event, _: &mut (), _: &mut Cx<Connection>) -> Next<Connection> {
        match event {
            Event::Up => at.go(Connected { link: String::new() }),
            Event::Down => keep(),
        }
    }
}

impl State<Connection> for Connected {
    fn handle(at: At<'_, Connection, Self>, event: Event, _: &mut (), _: &mut Cx<Connection>) -> Next<Connection> {
        match event {
            Event::Up => at.go(Connecting),
            Event::Down => keep(),
        }
    }
}

fn main() {
    statem::spawn(Disconnected { attempt: 0 }, ());
}
