//! The struct of a state with an argument may be that of another with a parameter.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Open, Local)]
enum Tunnel<T> {
    #[initial]
    Open(Pipe<T>),
    Local(Pipe<u8>),
}

struct Pipe<T>(T);

fn main() {}
