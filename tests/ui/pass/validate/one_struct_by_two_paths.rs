#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Plain, Resumed)]
enum Connection {
    #[initial]
    Plain(Socket),
    Resumed(Resumed),
}

struct Socket;
struct Resumed;

fn main() {}
