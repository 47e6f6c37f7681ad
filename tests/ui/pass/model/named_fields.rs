#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<T> {
    #[initial]
    #[to(Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected<T>),
}

struct Connected<T> {
    link: T,
    requests: Vec<u32>,
}

fn main() {}
