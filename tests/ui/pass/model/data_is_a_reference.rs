#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<'a> {
    #[initial]
    Disconnected(Disconnected<'a>),
}

struct Disconnected<'a>(&'a str);

fn main() {}
