//! One handler for all states, as in the documentation.

use std::time::Duration;

use statem::{Cx, EnterCx, Handler, Machine, Next, StateMachine, keep, postpone, unexpected};

/// A connection.
///
/// It reconnects.
#[derive(StateMachine)]
#[machine(event = Event, data = Client, timeout = Name, unexpected = "stop", keep_abandoned, shutdown = Event::Drain)]
enum Connection {
    /// Nothing is there.
    #[initial]
    #[to(Connecting = "backoff")]
    Disconnected(Disconnected),
    #[to(Connected, Disconnected)]
    Connecting,
    #[to(Disconnected, Closed)]
    Connected(Connected),
    #[terminal]
    Closed,
}

struct Disconnected {
    attempt: u32,
}

struct Connected {
    requests: Vec<u32>,
}

struct Client {
    attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Backoff,
}

enum Event {
    Backoff,
    Dialled(Result<(), ()>),
    Get(u32),
    Drain,
}

impl Handler for Connection {
    fn enter(&mut self, client: &mut Client, cx: &mut EnterCx<Self>) {
        match self {
            Self::Disconnected(s) => client.attempts = s.attempt,
            Self::Connecting => cx.timeout(Name::Backoff, Duration::from_secs(1), Event::Backoff),
            Self::Connected(_) | Self::Closed => {}
        }
    }

    fn handle(state: ConnectionAt<'_>, event: Event, client: &mut Client, _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Disconnected(s), E::Backoff) => s.go(Connecting),
            (S::Disconnected(_) | S::Connecting(_), call @ E::Get(_)) => postpone(call),
            (S::Connecting(s), E::Dialled(Ok(()))) => s.go(Connected { requests: vec![] }),
            (S::Connecting(s), E::Dialled(Err(()))) => s.go(Disconnected { attempt: client.attempts + 1 }),
            (S::Connected(mut s), E::Get(n)) => {
                s.requests.push(n);
                keep()
            }
            (S::Connected(s), E::Drain) => s.go(Closed),
            (_, event) => unexpected(event),
        }
    }
}

fn main() {
    let _ = [Event::Backoff, Event::Dialled(Ok(())), Event::Get(1)];
    let graph = Connection::GRAPH;
    assert_eq!(graph.name, "Connection");
    assert_eq!(graph.docs, "A connection.\n\nIt reconnects.");
    let names: Vec<_> = graph.states.iter().map(|state| state.name).collect();
    assert_eq!(names, ["Disconnected", "Connecting", "Connected", "Closed"]);
    assert_eq!(graph.states[0].docs, "Nothing is there.");
    assert!(graph.states[0].initial && !graph.states[1].initial);
    assert!(graph.states[3].terminal && !graph.states[1].terminal);
    assert_eq!(graph.states[0].edges[0].label, Some("backoff"));
    assert_eq!(graph.states[1].edges[1].to, "Disconnected");
    assert_eq!(Connection::Closed.index(), 3);
    assert_eq!(Connection::UNEXPECTED, statem::Unexpected::Stop);
    assert!(Connection::KEEP_ABANDONED);
    assert!(matches!(Connection::shutdown(), Some(Event::Drain)));
    assert_eq!((Connecting, Closed), (Connecting::default(), Closed.clone()));
}
