//! A machine without a handler is spawned.
#![allow(dead_code)]

use statem::StateMachine;

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

fn start() {
    statem::spawn::<Connection>(Disconnected { attempt: 0 }, ());
}

fn main() {}
