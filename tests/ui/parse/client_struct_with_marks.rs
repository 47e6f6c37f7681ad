//! A client was derived on a struct whose fields are marked.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Faders)]
enum Mixer {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = Mixer)]
struct Faders {
    #[call]
    level: Reply<u8>,
    #[cast]
    mute: bool,
}

fn main() {}
