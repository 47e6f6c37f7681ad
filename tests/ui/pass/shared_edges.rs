//! Edges on the enum are edges of every state that is not terminal, and let the whole view go.

use statem::{At, Cx, Handler, Machine, Next, Node, StateMachine, To, keep};

#[derive(StateMachine)]
#[machine(event = Event)]
#[to(Offline = "lost")]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Online)]
    Offline,
    #[to(Online)]
    Online(Online),
    #[terminal]
    Failed(Failed),
}

struct Online(u32);
struct Failed {
    why: String,
}

enum Event {
    Up,
    Lost,
    Failed(String),
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Offline(s), E::Up) => s.go(Online(0)),
            (S::Online(s), E::Up) => s.go_with(|old| Online(old.0 + 1)),
            (state, E::Failed(why)) => state.go(Failed { why }),
            (S::Online(s), E::Lost) => lost(s),
            (S::Offline(s), E::Lost) => lost(s),
        }
    }
}

fn lost<S>(at: At<'_, Connection, S>) -> Next<Connection>
where
    S: Node<Connection> + To<Offline, Connection> + To<Failed, Connection>,
{
    if false { at.go(Failed { why: String::new() }) } else { at.go(Offline) }
}

/// A machine of one state, which stays.
#[derive(StateMachine)]
#[machine(event = ())]
enum Counter {
    #[initial]
    Counting(Counting),
}

struct Counting;

impl Handler for Counter {
    fn handle(_: CounterAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

fn main() {
    let edges = |place: usize| -> Vec<_> { Connection::GRAPH.states[place].edges.iter().map(|e| (e.to, e.label)).collect() };
    assert_eq!(edges(0), [("Online", None), ("Offline", Some("lost")), ("Failed", None)]);
    assert_eq!(edges(1), [("Online", None), ("Offline", Some("lost")), ("Failed", None)]);
    assert_eq!(edges(2), []);
    assert_eq!(Counter::Counting(Counting).index(), 0);
    let _ = (Event::Up, Event::Lost, Event::Failed(Failed { why: String::new() }.why));
}
