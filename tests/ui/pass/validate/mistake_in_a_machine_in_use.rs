#![allow(dead_code)]

use statem::{At, Cx, EnterCx, Handler, Next, Node, StateMachine, To, keep, unexpected};

struct Client {
    attempts: u32,
}

enum Event {
    Up(u32),
    Down,
    Failed,
}

#[derive(StateMachine)]
#[machine(event = Event, data = Client)]
#[to(Failed)]
enum Connection {
    #[initial]
    #[to(Connecting)]
    Disconnected(Disconnected),
    #[to(Connected, Disconnected)]
    Connecting,
    #[to(Disconnected)]
    Connected(Connected),
    #[terminal]
    Failed,
}

struct Disconnected {
    attempt: u32,
}

struct Connected {
    link: u32,
}

impl Handler for Connection {
    fn enter(&mut self, client: &mut Client, cx: &mut EnterCx<Self>) {
        if let Self::Disconnected(state) = self {
            client.attempts = state.attempt;
            cx.insert(Event::Down);
        }
    }

    fn handle(state: ConnectionAt<'_>, event: Event, client: &mut Client, _: &mut Cx<Self>) -> Next<Self> {
        use {ConnectionAt as S, Event as E};
        match (state, event) {
            (S::Disconnected(mut s), E::Up(_)) => {
                s.attempt += client.attempts;
                s.go(Connecting)
            }
            (S::Connecting(s), E::Up(link)) => s.go(Connected { link }),
            (S::Connected(mut s), E::Up(link)) => {
                s.link = link;
                keep()
            }
            (S::Connected(s), E::Down) => s.go_with(|old| Disconnected { attempt: old.link }),
            (S::Connecting(s), E::Down) => lost(s),
            (state, E::Failed) => state.go(Failed),
            (_, event) => unexpected(event),
        }
    }
}

fn lost<S>(at: At<'_, Connection, S>) -> Next<Connection>
where
    S: Node<Connection> + To<Disconnected, Connection>,
{
    at.go(Disconnected { attempt: 0 })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drop(statem::spawn(Disconnected { attempt: 0 }, Client { attempts: 0 }));
}
