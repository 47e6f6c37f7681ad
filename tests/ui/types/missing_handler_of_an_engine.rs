//! An engine is made of a machine without a handler.
#![allow(dead_code)]

use statem::{StateMachine};

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

fn main() {
    statem::engine::Engine::new(Disconnected { attempt: 0 }, ());
}
