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
    fn handle(_: At<'_, Lamp, Self>, _: Tick, _: &mut (), cx: &mut Cx<Lamp>) -> Next<Lamp> {
        cx.state_task(wait(), Tick);
        keep()
    }
}

fn main() {}
