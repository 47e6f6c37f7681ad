//! A transition is given a guard, as clauses in Erlang have.
#![allow(dead_code)]

use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Door {
    #[initial]
    #[to(Open when unlocked)]
    Shut,
    #[to(Shut)]
    Open,
}

fn main() {}
