//! The type of the events is misspelt in the attribute.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event {
    Up,
}

#[derive(StateMachine)]
#[machine(event = Evnt)]
enum Lamp {
    #[initial]
    #[to(On)]
    Off,
    #[to()]
    On,
}

impl Handler for Lamp {
    fn handle(state: LampAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (LampAt::Off(s), Event::Up) => s.go(On),
            (_, event) => unexpected(event),
        }
    }
}

fn start() {
    statem::spawn::<Lamp>(Off, ());
}

fn main() {}
