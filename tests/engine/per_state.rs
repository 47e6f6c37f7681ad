//! The hooks of a machine with a handler for each state.

use std::time::Duration;

use statem::engine::{Engine, POSTPONED};
use statem::{At, Cx, Next, State, StateMachine, postpone};

/// What was refused, and where the machine ended.
#[derive(StateMachine)]
#[machine(event = u64, data = Vec<String>, handlers = "per_state")]
enum Queue {
    #[initial]
    #[to(Open)]
    Closed,
    #[to(Closed)]
    Open(Open),
}

struct Open {
    since: u64,
}

impl State<Queue> for Closed {
    fn handle(
        at: At<'_, Queue, Self>,
        event: u64,
        _: &mut Vec<String>,
        _: &mut Cx<Queue>,
    ) -> Next<Queue> {
        if event == 0 {
            at.go(Open { since: 7 })
        } else {
            postpone(event)
        }
    }

    fn refused(&self, event: u64, log: &mut Vec<String>) {
        log.push(format!("closed refuses {event}"));
    }
}

impl State<Queue> for Open {
    fn handle(
        at: At<'_, Queue, Self>,
        event: u64,
        _: &mut Vec<String>,
        _: &mut Cx<Queue>,
    ) -> Next<Queue> {
        if event == 1 {
            at.go(Closed)
        } else {
            postpone(event)
        }
    }

    fn refused(&self, event: u64, log: &mut Vec<String>) {
        log.push(format!("open since {} refuses {event}", self.since));
    }
}

#[test]
fn n45_each_state_is_given_the_casts_that_it_could_not_postpone() {
    let clock = || Duration::ZERO;
    let mut queue = Engine::new(Closed, Vec::new());
    queue.start(&clock);
    let bound = u64::try_from(POSTPONED).expect("it is small");
    for event in 3..=bound + 3 {
        queue.handle(event, &clock);
    }
    queue.handle(0, &clock);
    while queue.advance(&clock) {}
    queue.handle(9, &clock);
    let refused = [
        format!("closed refuses {}", bound + 3),
        "open since 7 refuses 9".to_owned(),
    ];
    assert_eq!(queue.data(), Some(&refused.to_vec()));
    assert_eq!((queue.counts().refused, queue.state_name()), (2, "Open"));
}
