//! States and parameters with the names of what the derive writes, with nothing of the library in scope.

use std::marker::PhantomData;

#[derive(statem::StateMachine)]
#[machine(event = F, data = (Target, Handler), timeout = u8)]
#[to(At, Living, Event, Data, Timeout)]
pub enum Machine<'a, 'b: 'a, F, Target, Handler, Nowhere, const M: usize>
where
    F: Fn(&'a str) -> &'b str,
{
    #[initial]
    #[to(To)]
    At,
    #[to(To = "again")]
    To(Following<'a, 'b, F, Target, Handler, Nowhere, M>),
    #[initial]
    #[to(State)]
    Node,
    #[initial]
    State,
    Event,
    Data,
    Timeout,
    #[terminal]
    Living,
}

pub struct Following<'a, 'b, F, Target, Handler, Nowhere, const M: usize> {
    words: [&'a &'b str; M],
    kept: PhantomData<(F, Target, Handler, Nowhere)>,
}

impl<'a, 'b: 'a, F, Target, Handler, Nowhere, const M: usize> statem::Handler
    for Machine<'a, 'b, F, Target, Handler, Nowhere, M>
where
    F: Fn(&'a str) -> &'b str,
{
    fn handle(
        state: MachineAt<'_, 'a, 'b, F, Target, Handler, Nowhere, M>,
        _: F,
        _: &mut (Target, Handler),
        _: &mut statem::Cx<Self>,
    ) -> statem::Next<Self> {
        match state {
            MachineAt::At(s) => s.go(Following { words: [&""; M], kept: PhantomData }),
            MachineAt::To(s) if s.words.is_empty() => s.go_with(|old| old),
            MachineAt::Node(s) => s.go(State),
            MachineAt::State(s) => s.go(Living),
            any => any.go(At),
        }
    }
}

type Small = Machine<'static, 'static, fn(&'static str) -> &'static str, u8, (), (), 0>;

/// The same for a handler for each state.
#[derive(statem::StateMachine)]
#[machine(event = (), handlers = "per_state")]
pub enum Handler {
    #[initial]
    #[to(Actions, Event)]
    Answering,
    #[to()]
    Actions(Data),
    #[to()]
    Event(Word),
}

impl statem::State<Handler> for Answering {
    fn handle(at: statem::At<'_, Handler, Self>, (): (), (): &mut (), _: &mut statem::Cx<Handler>) -> statem::Next<Handler> {
        at.go(Data)
    }
}

impl statem::State<Handler> for Data {
    fn handle(_: statem::At<'_, Handler, Self>, (): (), (): &mut (), _: &mut statem::Cx<Handler>) -> statem::Next<Handler> {
        statem::keep()
    }
}

pub struct Word;

impl statem::State<Handler> for Word {
    fn handle(_: statem::At<'_, Handler, Self>, (): (), (): &mut (), _: &mut statem::Cx<Handler>) -> statem::Next<Handler> {
        statem::keep()
    }
}

fn main() {
    let now = || std::time::Duration::ZERO;
    let mut machine = statem::engine::Engine::<Small>::new(At, (1, ()));
    machine.start(&now);
    for _ in 0..2 {
        machine.handle(|word| word, &now);
    }
    assert_eq!(machine.state_name(), "To");
    let mut machine = statem::engine::Engine::<Small>::new(Node, (1, ()));
    machine.start(&now);
    machine.handle(|word| word, &now);
    assert_eq!(machine.state_name(), "State");
}
