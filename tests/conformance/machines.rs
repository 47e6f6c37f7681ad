//! The interpreter machines. They do the same and are made as differently as the derive allows, so
//! that a trace hangs on nothing that they share.
//!
//! | | [`Single`] | [`Variants`] |
//! |---|---|---|
//! | a state of the case | a field in the struct of the one variant | a variant with a struct of its own |
//! | going there | the edge of a state to itself | an edge declared on the enum, between variants |
//! | the state before, in enter | kept by the machine | `cx.previous()`, which the engine tells |
//! | the counter and the saved callers | in the machine's data | in the struct of the state, moved on by `go_with` |
//! | callbacks | one `Handler` | `handlers = "per_state"`: a `State` for each variant, joined by the derive |

use std::fmt;

use statem::{At, Cx, EnterCx, ExitReason, Handler, Next, State, StateMachine, keep, repeat, stop};

use crate::case::{Case, Name, Outcome};
use crate::event::Event;
use crate::interpreter::{Interpreter, Memory, Run, Verdict};

/// One variant; the state of the case is data.
#[derive(StateMachine)]
#[machine(event = Event, data = Obeying, timeout = Name)]
pub(crate) enum Single {
    #[initial]
    #[to(Being)]
    Being(Being),
}

pub(crate) struct Being {
    state: Name,
    previous: Name,
}

pub(crate) struct Obeying {
    run: Run,
    memory: Memory,
}

impl Handler for Single {
    fn enter(&mut self, data: &mut Obeying, cx: &mut EnterCx<Self>) {
        let Single::Being(Being { state, previous }) = self;
        data.run.enter(*state, *previous, &mut data.memory, cx);
    }

    fn handle(at: SingleAt<'_>, event: Event, data: &mut Obeying, cx: &mut Cx<Self>) -> Next<Self> {
        let SingleAt::Being(mut at) = at;
        match data.run.handle(at.state, &mut data.memory, event, cx) {
            Verdict::Keep => keep(),
            Verdict::Repeat => {
                at.previous = at.state;
                repeat()
            }
            Verdict::Go(state) => {
                let previous = at.state;
                at.go(Being { state, previous })
            }
            Verdict::Stop(reason) => stop(reason),
        }
    }

    fn terminate(reason: &ExitReason, state: Option<&mut Self>, data: &mut Obeying) {
        let state = state.map_or(LOST, |Single::Being(being)| being.state);
        data.run.terminate(reason, state, data.memory.counter);
    }
}

const LOST: Name = Name::constant("!lost");

impl Interpreter for Single {
    type Start = Being;

    fn prepare(run: Run) -> (Being, Obeying) {
        let state = run.case.state;
        let memory = Memory::new(run.case.counter);
        let being = Being {
            state,
            previous: state,
        };
        (being, Obeying { run, memory })
    }

    fn run(data: &mut Obeying) -> &mut Run {
        &mut data.run
    }

    fn show(&self, data: &Obeying) -> (Name, u64) {
        let Single::Being(being) = self;
        (being.state, data.memory.counter)
    }
}

/// What a handle is shown.
impl fmt::Debug for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Single::Being(being) = self;
        being.state.fmt(f)
    }
}

impl fmt::Debug for Obeying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.memory.counter.fmt(f)
    }
}

/// A variant for each state of the case.
#[derive(StateMachine)]
#[machine(event = Event, data = Dispatched, timeout = Name, handlers = "per_state")]
#[to(First, Second, Third, Fourth)]
pub(crate) enum Variants {
    #[initial]
    First(First),
    Second(Second),
    Third(Third),
    Fourth(Fourth),
}

/// The machine's data: the rules, and the names that the case has for the variants.
pub(crate) struct Dispatched {
    run: Run,
    names: [Name; 4],
}

impl Dispatched {
    /// The name that the case has for a variant, of which the engine tells the name.
    fn name_of(&self, variant: &str) -> Name {
        match variant {
            "First" => self.names[0],
            "Second" => self.names[1],
            "Third" => self.names[2],
            "Fourth" => self.names[3],
            _ => LOST,
        }
    }
}

macro_rules! variants {
    ($($state:ident $place:literal,)*) => {$(
        pub(crate) struct $state {
            memory: Memory,
        }

        impl State<Variants> for $state {
            fn enter(&mut self, data: &mut Dispatched, cx: &mut EnterCx<Variants>) {
                let previous = data.name_of(cx.previous());
                data.run.enter(data.names[$place], previous, &mut self.memory, cx);
            }

            fn handle(
                mut at: At<'_, Variants, Self>,
                event: Event,
                data: &mut Dispatched,
                cx: &mut Cx<Variants>,
            ) -> Next<Variants> {
                let verdict = data.run.handle(data.names[$place], &mut at.memory, event, cx);
                match verdict {
                    Verdict::Keep => keep(),
                    Verdict::Repeat => repeat(),
                    Verdict::Stop(reason) => stop(reason),
                    Verdict::Go(target) => match data.names.iter().position(|name| *name == target) {
                        Some(0) => at.go_with(|left| First { memory: left.memory }),
                        Some(1) => at.go_with(|left| Second { memory: left.memory }),
                        Some(2) => at.go_with(|left| Third { memory: left.memory }),
                        Some(3) => at.go_with(|left| Fourth { memory: left.memory }),
                        _ => stop(ExitReason::other("!a state without a variant")),
                    },
                }
            }

            fn terminate(&mut self, reason: &ExitReason, data: &mut Dispatched) {
                data.run.terminate(reason, data.names[$place], self.memory.counter);
            }
        }
    )*};
}

variants! {
    First 0,
    Second 1,
    Third 2,
    Fourth 3,
}

impl Interpreter for Variants {
    type Start = First;

    fn prepare(run: Run) -> (First, Dispatched) {
        let memory = Memory::new(run.case.counter);
        let names = names(&run.case);
        (First { memory }, Dispatched { run, names })
    }

    fn run(data: &mut Dispatched) -> &mut Run {
        &mut data.run
    }

    fn show(&self, data: &Dispatched) -> (Name, u64) {
        let (place, memory) = match self {
            Variants::First(state) => (0, &state.memory),
            Variants::Second(state) => (1, &state.memory),
            Variants::Third(state) => (2, &state.memory),
            Variants::Fourth(state) => (3, &state.memory),
        };
        (data.names[place], memory.counter)
    }
}

/// The first four states that a case names, the initial one first.
fn names(case: &Case) -> [Name; 4] {
    let targets = case.rules.iter().filter_map(|rule| match rule.outcome {
        Outcome::Next(target, _) => Some(target),
        _ => None,
    });
    let (mut names, mut found) = ([LOST; 4], 0);
    for name in std::iter::once(case.state).chain(targets) {
        if found < names.len() && !names.contains(&name) {
            names[found] = name;
            found += 1;
        }
    }
    names
}
