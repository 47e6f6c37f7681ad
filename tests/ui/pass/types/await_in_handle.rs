#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

enum Event {
    Dial,
    Dialled(bool),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Dialler {
    #[initial]
    Idle,
}

async fn dial() -> bool {
    true
}

impl Handler for Dialler {
    fn handle(_: DiallerAt<'_>, event: Event, _: &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Dial => {
                cx.state_task(dial(), Event::Dialled);
                statem::keep()
            }
            event => unexpected(event),
        }
    }
}

fn main() {}
