#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Event;

#[derive(StateMachine)]
#[machine(event = Event, handlers = "per_state")]
enum Connection<T> {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to()]
    Connected(Connected<T>),
}

struct Connected<T>(T);

impl<T: Default> State<Connection<T>> for Disconnected {
    fn handle(at: At<'_, Connection<T>, Self>, _: Event, _: &mut (), _: &mut Cx<Connection<T>>) -> Next<Connection<T>> {
        if false { at.go(Connected(T::default())) } else { keep() }
    }
}

impl<T> State<Connection<T>> for Connected<T> {
    fn handle(_: At<'_, Connection<T>, Self>, _: Event, _: &mut (), _: &mut Cx<Connection<T>>) -> Next<Connection<T>> {
        keep()
    }
}

fn start() {
    statem::spawn::<Connection<u32>>(Disconnected, ());
}

fn main() {}
