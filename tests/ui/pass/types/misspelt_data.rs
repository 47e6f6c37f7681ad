#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Tick;

struct Settings;

#[derive(StateMachine)]
#[machine(event = Tick, data = Settings)]
enum Lamp {
    #[initial]
    Off,
}

impl Handler for Lamp {
    fn handle(_: LampAt<'_>, _: Tick, _: &mut Settings, _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn start() {
    statem::spawn::<Lamp>(Off, Settings);
}

fn main() {}
