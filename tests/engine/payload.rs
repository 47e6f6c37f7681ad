//! What a state's struct holds moves on to the next one's (P3).

use std::cell::Cell;
use std::rc::Rc;

use statem::engine::Engine;
use statem::{Cx, Handler, Next, StateMachine, keep};

use crate::scripted::ms;

/// Not `Clone`, not `Default`: there is one, and it counts its drops.
struct Socket {
    id: u32,
    drops: Rc<Cell<u32>>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
    }
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
    // In a box, so that it has an address to be known by.
    socket: Box<Socket>,
    early: Vec<u32>,
}

struct Ready {
    socket: Box<Socket>,
    waiting: Vec<u32>,
}

enum Event {
    Request(u32),
    Done,
    Renegotiate,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Handshaking(mut s), E::Request(number)) => {
                s.early.push(number);
                keep()
            }
            (S::Ready(mut s), E::Request(number)) => {
                s.waiting.push(number);
                keep()
            }
            (S::Handshaking(s), E::Done) => s.go_with(|old| Ready {
                socket: old.socket,
                waiting: old.early,
            }),
            (S::Ready(s), E::Renegotiate) => s.go_with(|old| Handshaking {
                socket: old.socket,
                early: old.waiting,
            }),
            (_, event) => statem::unexpected(event),
        }
    }
}

#[test]
fn p3_a_plain_field_moves_from_state_to_state_and_stays_the_same() {
    let drops = Rc::new(Cell::new(0));
    let socket = Box::new(Socket {
        id: 7,
        drops: drops.clone(),
    });
    let address: *const Socket = &raw const *socket;
    let start = Handshaking {
        socket,
        early: Vec::new(),
    };
    let mut engine = Engine::<Connection>::new(start, ());
    engine.start(&|| ms(0));

    engine.handle(Event::Request(1), &|| ms(0));
    engine.handle(Event::Done, &|| ms(0));
    let Some(Connection::Ready(ready)) = engine.state() else {
        panic!("the machine is in {}", engine.state_name())
    };
    assert!(std::ptr::eq(&raw const *ready.socket, address));

    engine.handle(Event::Request(2), &|| ms(0));
    engine.handle(Event::Renegotiate, &|| ms(0));
    let Some(Connection::Handshaking(again)) = engine.state() else {
        panic!("the machine is in {}", engine.state_name())
    };
    assert!(std::ptr::eq(&raw const *again.socket, address));
    assert_eq!((again.socket.id, &again.early[..]), (7, &[1, 2][..]));

    assert_eq!(drops.get(), 0);
    drop(engine);
    assert_eq!(drops.get(), 1);
}
