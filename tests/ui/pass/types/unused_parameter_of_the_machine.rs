#![allow(dead_code)]

use std::marker::PhantomData;

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Event<T>(T);

#[derive(StateMachine)]
#[machine(event = Event<T>)]
enum Lamp<T> {
    #[initial]
    #[to(On)]
    Off,
    #[to()]
    On(On<T>),
}

struct On<T>(PhantomData<T>);

impl<T> Handler for Lamp<T> {
    fn handle(_: LampAt<'_, T>, _: Event<T>, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {}
