//! Machines that do anything at all, in an order that looks random and is the same in every run:
//! every event is accounted for at every step (N48), and every caller has one outcome in the end
//! (N50).

use statem::{Actions, ExitReason, keep, keep_and_retry, postpone, repeat};

use crate::scripted::{A, B, C, Event, Luggage, Scripted, ScriptedAt, Stage, event, ms, note};
use crate::timers::Numbers;
use crate::witness::Caller;

const MACHINES: u64 = 400;
const STEPS: u32 = 80;

/// What one event does, decided when it is made.
#[derive(Clone, Copy)]
struct Plan {
    verb: u64,
    asks: [u64; 2],
    postpones: bool,
}

impl Plan {
    fn new(numbers: &mut Numbers) -> Self {
        let asks = [numbers.below(14), numbers.below(14)];
        Plan {
            verb: numbers.below(12),
            asks,
            postpones: numbers.below(4) == 0,
        }
    }

    fn event(self) -> Event {
        event("random", move |state, event, scene, cx| {
            self.run(state, event, &mut scene.luggage, cx)
        })
    }

    fn run(
        self,
        mut state: ScriptedAt<'_>,
        event: Event,
        data: &mut Luggage,
        cx: &mut statem::Cx<Scripted>,
    ) -> statem::Next<Scripted> {
        for ask in self.asks {
            act(ask, state.luggage(), data, cx);
        }
        // Events are postponed in A alone and never go there, or a chain of changes would never end
        // (R26).
        let event = if self.postpones && state.name() == "A" && ![0, 2].contains(&self.verb) {
            cx.postpone(event);
            None
        } else {
            Some(event)
        };
        match (self.verb, event) {
            (0, _) => state.go(A::default()),
            (1, _) => state.go(B::default()),
            (2, Some(event)) if state.name() == "A" => postpone(event),
            (3, _) => match state {
                ScriptedAt::A(state) => state.go_with(|old| B(old.0)),
                ScriptedAt::B(state) => state.go_with(|old| C(old.0)),
                ScriptedAt::C(state) => state.go_with(|old| A(old.0)),
            },
            (4, _) => repeat(),
            (5, _) if state.name() != "A" => keep_and_retry(),
            (6, Some(Event::Call(_, reply))) => {
                let _ = reply.send(1);
                keep()
            }
            (7, Some(Event::Call(_, reply))) => {
                state.luggage().replies.push(reply);
                keep()
            }
            (8, Some(event)) => statem::unexpected(event),
            _ => keep(),
        }
    }
}

/// One wish of a callback.
fn act(ask: u64, state: &mut Luggage, data: &mut Luggage, cx: &mut Actions<Scripted>) {
    let kept = |name| {
        event(name, |state, event, _, _| {
            if state.name() == "A" {
                postpone(event)
            } else {
                keep()
            }
        })
    };
    match ask {
        0 => cx.insert(note("inserted")),
        1 => cx.state_timeout(ms(5), kept("state timeout")),
        2 => cx.event_timeout(ms(5), note("event timeout")),
        3 => cx.timeout("g", ms(0), kept("zero")),
        4 => cx.timeout("g", ms(7), note("named")),
        5 => cx.cancel_timeout("g"),
        6 => cx.update_state_timeout(note("updated")),
        7 => cx.state_task(std::future::ready(()), move |()| kept("state task")),
        8 => state
            .guards
            .push(cx.task(std::future::ready(()), move |()| kept("task of the state"))),
        9 => data
            .guards
            .push(cx.task(std::future::ready(()), move |()| kept("task of the data"))),
        10 => state
            .timers
            .push(cx.timer(ms(3), kept("timer of the state"))),
        11 => data.timers.push(cx.timer(ms(3), kept("timer of the data"))),
        12 => *state = Luggage::default(),
        _ => *data = Luggage::default(),
    }
}

fn step(stage: &mut Stage, callers: &mut Vec<Caller>, numbers: &mut Numbers) {
    let plan = Plan::new(numbers);
    match numbers.below(8) {
        0 | 1 => stage.send(plan.event()),
        2 | 3 => callers.push(stage.call("call", move |state, event, scene, cx| {
            plan.run(state, event, &mut scene.luggage, cx)
        })),
        4 if !callers.is_empty() => callers.swap_remove(0).hang_up(),
        5 => {
            let later = stage.now.get() + ms(numbers.below(10));
            stage.until(u64::try_from(later.as_millis()).expect("a short run"));
        }
        _ => stage.poll_all(),
    }
}

#[test]
fn n48_n50_whatever_a_machine_does_its_events_and_its_callers_are_accounted_for() {
    let mut discarded = 0;
    let mut abandoned = 0;
    for seed in 0..MACHINES {
        let mut numbers = Numbers::new(seed);
        let mut stage = Stage::new();
        let mut callers = Vec::new();
        for _ in 0..STEPS {
            step(&mut stage, &mut callers, &mut numbers);
            assert_eq!(stage.stopped(), "", "machine {seed}");
            stage.assert_counts();
        }
        stage.engine.stop(ExitReason::Shutdown);
        stage.assert_counts();
        for caller in &mut callers {
            assert_ne!(caller.outcome(), "", "machine {seed}: every caller is told");
            assert_eq!(caller.outcome(), "", "machine {seed}: and told once");
        }
        discarded += stage.engine.counts().discarded;
        abandoned += stage.engine.counts().abandoned;
    }
    assert!(
        discarded > 100 && abandoned > 100,
        "{discarded} discarded, {abandoned} abandoned"
    );
}
