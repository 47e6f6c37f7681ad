//! An enum that comes out of a macro.

use statem::{At, Cx, Handler, Machine, Next, State, StateMachine, keep};

macro_rules! machine {
    ($name:ident, $event:ty, $data:ty, $first:ident -> $second:ident($struct:ty), $label:literal) => {
        #[derive(StateMachine)]
        #[machine(event = $event, data = $data)]
        enum $name {
            #[initial]
            #[to($second = $label)]
            $first,
            #[to($first)]
            $second($struct),
        }
    };
}

machine!(Door, Event, Vec<u32>, Closed -> Open(Opened<u32>), "pushed");

struct Event;
struct Opened<T>(T);

impl Handler for Door {
    fn handle(state: DoorAt<'_>, Event: Event, pushes: &mut Vec<u32>, _: &mut Cx<Self>) -> Next<Self> {
        pushes.push(1);
        match state {
            DoorAt::Closed(s) => s.go(Opened(1)),
            DoorAt::Open(s) if s.0 == 1 => s.go(Closed),
            DoorAt::Open(_) => keep(),
        }
    }
}

/// The machine's name is the macro's, those of the states are not.
macro_rules! lamp {
    ($off:ident, $on:ident) => {
        #[derive(StateMachine)]
        #[machine(event = Event, handlers = "per_state")]
        #[to($off)]
        enum Lamp {
            #[initial]
            #[to($on)]
            $off,
            $on($on),
        }
    };
}

lamp!(Off, On);

struct On;

impl State<Lamp> for Off {
    fn handle(at: At<'_, Lamp, Self>, Event: Event, (): &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        at.go(On)
    }
}

impl State<Lamp> for On {
    fn handle(at: At<'_, Lamp, Self>, Event: Event, (): &mut (), _: &mut Cx<Lamp>) -> Next<Lamp> {
        at.go(Off)
    }
}

fn main() {
    assert_eq!(Door::GRAPH.states[0].edges[0].label, Some("pushed"));
    let _ = Event;
}
