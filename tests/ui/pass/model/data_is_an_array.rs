#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<const N: usize> {
    #[initial]
    Disconnected(Disconnected<N>),
}

struct Disconnected<const N: usize> {
    address: [u8; N],
}

fn main() {}
