//! A match over the state and the event leaves one combination out.
#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Coin,
    Push,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Turnstile {
    #[initial]
    #[to(Unlocked)]
    Locked,
    #[to(Locked)]
    Unlocked,
}

impl Handler for Turnstile {
    fn handle(state: TurnstileAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (TurnstileAt::Locked(s), Event::Coin) => s.go(Unlocked),
            (TurnstileAt::Unlocked(s), Event::Push) => s.go(Locked),
            (TurnstileAt::Unlocked(_), Event::Coin) => keep(),
        }
    }
}

fn main() {}
