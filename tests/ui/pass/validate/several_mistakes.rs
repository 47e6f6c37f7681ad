#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, unexpected = "warn")]
enum Connection {
    #[initial]
    #[to(Connecting)]
    Disconnected,
    #[to(Connected)]
    Connecting,
    #[to(Disconnected)]
    Connected(Connected),
}

struct Connected {
    link: u32,
}

fn main() {}
