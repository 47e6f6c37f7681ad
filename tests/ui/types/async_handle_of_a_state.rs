//! The `handle` of a state is `async`, which it cannot be: what takes time is a task.
#![allow(dead_code)]

use statem::{At, Cx, Next, State, StateMachine, keep};

struct Tick(bool);

#[derive(StateMachine)]
#[machine(event = Tick, handlers = "per_state")]
enum Lamp {
    #[initial]
    Off,
}

async fn wait() -> bool {
    true
}

impl State<Lamp> for Off {
    async fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        wait().await;
        keep()
    }
}

fn main() {}
