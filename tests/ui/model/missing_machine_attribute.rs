//! There is no `#[machine(..)]`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to()]
    Connected,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (ConnectionAt::Disconnected(s), Event::Up) => s.go(Connected),
            (_, Event::Up | Event::Down) => keep(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drop(statem::spawn(Disconnected, 7));
}
