//! The library under another path, with nothing else of it in scope.

mod vendored {
    pub use statem as machines;
}

mod statem {}

#[derive(vendored::machines::StateMachine)]
#[machine(event = Event, crate = crate::vendored::machines, handlers = "per_state")]
#[to(Off)]
enum Lamp {
    #[initial]
    #[to(On)]
    Off,
    #[to(Broken)]
    On(On),
    #[terminal]
    Broken,
}

struct On(u32);

struct Event;

use vendored::machines::{At, Cx, Machine, Next, State, keep};

impl State<Lamp> for Off {
    fn handle(at: At<'_, Lamp, Self>, Event: Event, (): &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        at.go(On(1))
    }
}

impl State<Lamp> for On {
    fn handle(at: At<'_, Lamp, Self>, Event: Event, (): &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        if at.0 > 1 { at.go(Off) } else { keep() }
    }
}

fn main() {
    assert_eq!(Lamp::GRAPH.states.len(), 3);
    let _ = (Lamp::Broken, Event);
}
