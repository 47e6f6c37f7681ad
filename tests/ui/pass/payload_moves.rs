//! A plain field of one state's struct becomes a field of the next one's: no `Option`, no `Default`, no `Clone` (P3).

use statem::{Cx, Handler, Next, StateMachine, keep};

/// Not `Clone`, not `Default`.
struct Socket {
    id: u32,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Ready)]
    Handshaking(Handshaking),
    #[to(Handshaking)]
    Ready(Ready),
}

struct Handshaking {
    socket: Socket,
    early: Vec<u32>,
}

struct Ready {
    socket: Socket,
    waiting: Vec<u32>,
}

enum Event {
    Request(u32),
    Done,
    Renegotiate,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Handshaking(mut s), E::Request(n)) => {
                s.early.push(n);
                keep()
            }
            (S::Ready(mut s), E::Request(n)) => {
                s.waiting.push(n);
                keep()
            }
            (S::Handshaking(s), E::Done) => s.go_with(|old| Ready { socket: old.socket, waiting: old.early }),
            (S::Ready(s), E::Renegotiate) => s.go_with(|old| Handshaking { socket: old.socket, early: old.waiting }),
            (_, E::Done | E::Renegotiate) => keep(),
        }
    }
}

fn main() {
    let start = Handshaking { socket: Socket { id: 7 }, early: vec![] };
    let _ = (start.socket.id, Event::Request(1), Event::Done, Event::Renegotiate);
}
