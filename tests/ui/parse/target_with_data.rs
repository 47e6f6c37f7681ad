//! A target is written with the data of the state.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected(link))]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected),
}

struct Connected {
    link: u32,
}

fn main() {}
