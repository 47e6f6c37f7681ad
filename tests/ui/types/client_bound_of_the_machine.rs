//! A client of a generic machine lacks a bound that the machine has.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Put<T>)]
enum Heap<T: Ord + Send + 'static> {
    #[initial]
    #[to(Waiting)]
    Waiting(Waiting<T>),
}

struct Waiting<T>(Vec<T>);

#[derive(Client)]
#[client(machine = Heap<T>)]
enum Put<T: Send + 'static> {
    #[call]
    Least { value: T, reply: Reply<T> },
    #[cast]
    Put(T),
}

fn main() {}
