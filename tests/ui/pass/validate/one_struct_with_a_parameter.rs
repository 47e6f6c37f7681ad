#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Open, Local)]
enum Tunnel<T> {
    #[initial]
    Open(Pipe<T>),
    Local(Local),
}

struct Pipe<T>(T);
struct Local(Pipe<u8>);

fn main() {}
