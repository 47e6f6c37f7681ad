use statem::{Cx, Handler, Next, StateMachine, keep};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Disconnected,
    Connected,
}

impl Handler for Connection {
    fn handle(state: ConnectionAt<'_>, event: Event, _: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (ConnectionAt::Disconnected(s), Event::Up) => s.go(Connected),
            (_, Event::Up | Event::Down) => keep(),
        }
    }
}

fn main() {
    statem::spawn(Disconnected, 7);
}
