use statem::{Cx, Handler, Next, Reply, StateMachine, keep};

enum Event {
    Up,
    Ask(Reply<u32>),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connected)]
    Connecting,
    #[to(Connecting)]
    Connected,
}

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, event: Event, _: &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Ask(_) => {
                cx.insert(Event::Up);
                keep()
            }
            Event::Up => keep(),
        }
    }
}

fn main() {}
