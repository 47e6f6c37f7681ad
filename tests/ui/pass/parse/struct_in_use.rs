#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    Connected(Connected),
}

struct Connected {
    attempt: u32,
}

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {
    let _ = Connection::Connected(Connected { attempt: 0 });
}
