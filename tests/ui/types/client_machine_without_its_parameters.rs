//! A client was made for a generic machine without its parameters.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Put<T>)]
enum Queue<T: Send + 'static> {
    #[initial]
    #[to(Waiting)]
    Waiting(Waiting<T>),
}

struct Waiting<T>(Vec<T>);

#[derive(Client)]
#[client(machine = Queue)]
enum Put<T: Send + 'static> {
    #[call]
    Last { value: T, reply: Reply<T> },
    #[cast]
    Put(T),
}

fn main() {}
