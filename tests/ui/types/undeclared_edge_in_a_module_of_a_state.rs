//! In a module of its own, the handler of a state goes where another state's edge leads.
#![allow(dead_code)]

use statem::StateMachine;

struct Tick;

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Light {
    #[initial]
    #[to(Yellow)]
    Green,
    #[to(Red)]
    Yellow,
    #[to(Green)]
    Red,
}

mod green {
    use statem::{At, Cx, Next, State};

    use super::{Green, Light, Red, Tick};

    impl State<Light> for Green {
        fn handle(at: At<'_, Light, Self>, _: Tick, _: &mut (), _: &mut Cx<Light>) -> Next<Light> {
            at.go(Red)
        }
    }
}

mod others {
    use statem::{At, Cx, Next, State};

    use super::{Green, Light, Red, Tick, Yellow};

    impl State<Light> for Yellow {
        fn handle(at: At<'_, Light, Self>, _: Tick, _: &mut (), _: &mut Cx<Light>) -> Next<Light> {
            at.go(Red)
        }
    }

    impl State<Light> for Red {
        fn handle(at: At<'_, Light, Self>, _: Tick, _: &mut (), _: &mut Cx<Light>) -> Next<Light> {
            at.go(Green)
        }
    }
}

fn main() {
    statem::engine::Engine::<Light>::new(Green, ());
}
