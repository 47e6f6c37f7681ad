//! The names of timeouts are given as a duration.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, timeout = 5)]
enum Connection {
    #[initial]
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeout {
    Heartbeat,
}

fn main() {}
