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
    Resumed(Resumed),
}

struct Link<T>(T);

struct Resumed(Link<u32>);

fn main() {}
