//! Mistakes of all stages in one machine.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, colour = u8, unexpected = "shrug")]
enum Connection {
    #[to(Conecting)]
    Disconnected,
    #[terminal]
    #[to(Connected { link: 1 })]
    Connecting,
    #[to(Disconnected, Disconnected)]
    Connected { link: u32 },
}

fn main() {}
