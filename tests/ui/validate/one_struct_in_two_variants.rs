//! Two variants wrap the same struct.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Plain, Tls, Resumed)]
enum Connection {
    #[initial]
    Plain(Link<u32>),
    Tls(Link<u64>),
    Resumed(Link<u32>),
}

struct Link<T>(T);

fn main() {}
