//! What the derive declares is as visible as the enum.

mod outer {
    pub mod inner {
        use statem::StateMachine;

        #[derive(StateMachine)]
        #[machine(event = ())]
        pub(in crate::outer) enum Within {
            #[initial]
            #[to(Two)]
            One,
            #[to()]
            Two(super::Two),
        }

        #[derive(StateMachine)]
        #[machine(event = u8)]
        #[to(Low)]
        pub enum Everywhere {
            #[initial]
            #[to(High)]
            Low,
            #[to(High)]
            High,
        }
    }

    pub struct Two;

    mod handler {
        use statem::{Cx, Handler, Next, keep};

        use crate::outer::Two;
        use crate::outer::inner::{Within, WithinAt};

        impl Handler for Within {
            fn handle(state: WithinAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
                assert!(["One", "Two"].contains(&state.name()));
                match state {
                    WithinAt::One(s) => s.go(Two),
                    WithinAt::Two(_) => keep(),
                }
            }
        }
    }

    pub fn start() {
        let _ = statem::engine::Engine::<inner::Within>::new(inner::One, ());
    }
}

use outer::inner::{Everywhere, EverywhereAt, High, Low};
use statem::{Cx, Handler, Next};

impl Handler for Everywhere {
    fn handle(state: EverywhereAt<'_>, event: u8, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            EverywhereAt::High(s) if event > 1 => s.go(High),
            any => any.go(Low),
        }
    }
}

fn main() {
    outer::start();
    let _ = statem::engine::Engine::<Everywhere>::new(Low, ());
}
