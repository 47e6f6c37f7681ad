#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, timeout = Timeout)]
enum Connection {
    #[initial]
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeout {
    Heartbeat,
}

fn main() {}
