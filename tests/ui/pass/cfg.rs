//! Variants and edges that are not compiled in leave no trace.

use statem::{Cx, Handler, Machine, Next, StateMachine, keep};

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[cfg(any())]
    #[to(Plain)]
    Never(Missing),
    #[initial]
    #[cfg_attr(all(), to(Tls))]
    #[cfg_attr(any(), to(Never))]
    #[to(Closed)]
    Plain,
    #[cfg(all())]
    #[cfg_attr(all(), to(Closed))]
    Tls,
    #[terminal]
    Closed,
}

struct Event;

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            ConnectionAt::Plain(s) => s.go(Tls),
            #[cfg(any())]
            ConnectionAt::Never(_) => keep(),
            #[cfg(all())]
            ConnectionAt::Tls(s) if false => s.go(Closed),
            ConnectionAt::Tls(_) => keep(),
        }
    }
}

fn main() {
    let names: Vec<_> = Connection::GRAPH.states.iter().map(|state| state.name).collect();
    assert_eq!(names, ["Plain", "Tls", "Closed"]);
    assert_eq!(Connection::GRAPH.states[0].edges.len(), 2);
    assert_eq!((Connection::Plain.index(), Connection::Tls.index(), Connection::Closed.index()), (0, 1, 2));
    let _ = Event;
}
