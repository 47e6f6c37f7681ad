//! `#[client(..)]` stands on a variant in place of the enum.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Fader)]
enum Mixer {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
enum Fader {
    #[client(machine = Mixer)]
    #[call]
    Level { channel: u8, reply: Reply<u8> },
}

fn main() {}
