//! An arm does its work and forgets `keep()`.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
#[machine(event = Event, data = Peer)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected,
}

struct Peer {
    failures: u32,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, peer: &mut Peer, _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Disconnected(s), E::Up) => s.go(Connected),
            (S::Connected(s), E::Down) => {
                peer.failures += 1;
                s.go(Disconnected)
            }
            (S::Connected(_), E::Up) => {
                peer.failures = 0;
            }
            _ => keep(),
        }
    }
}

fn main() {}
