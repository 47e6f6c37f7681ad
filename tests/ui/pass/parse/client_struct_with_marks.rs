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
enum Faders {
    #[call]
    Level(Reply<u8>),
    #[cast]
    Mute(bool),
}

fn main() {}
