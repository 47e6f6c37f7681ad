//! `use Machine::*` beside the derive, and a machine inside a function.

use statem::{Cx, Handler, Machine, Next, StateMachine, keep};

use self::Connection::*;

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connecting)]
    Offline,
    #[to(Online)]
    Connecting,
    #[to()]
    Online(Link),
}

struct Link;

struct Event;

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            ConnectionAt::Offline(s) => s.go(Connecting),
            ConnectionAt::Connecting(s) => s.go(Link),
            ConnectionAt::Online(_) => keep(),
        }
    }
}

fn main() {
    let _ = (Offline, Online(Link), Event);
    assert_eq!(Connection::Connecting.index(), 1);

    #[derive(StateMachine)]
    #[machine(event = ())]
    enum Local {
        #[initial]
        Here,
    }
    impl Handler for Local {
        fn handle(_: LocalAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
            keep()
        }
    }
    assert_eq!(Local::GRAPH.states[0].name, "Here");
}
