//! Two variants wrap the same struct, which they name by different paths.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Plain, Resumed)]
enum Connection {
    #[initial]
    Plain(Socket),
    Resumed(crate::Socket),
}

struct Socket;

fn main() {}
