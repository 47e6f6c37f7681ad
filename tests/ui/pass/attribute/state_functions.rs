use statem::{At, Cx, Next, State, StateMachine, keep};

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, handlers = "per_state")]
enum Connection {
    #[initial]
    Disconnected,
}

impl State<Connection> for Disconnected {
    fn handle(
        _: At<'_, Connection, Self>,
        _: Event,
        (): &mut (),
        _: &mut Cx<Connection>,
    ) -> Next<Connection> {
        keep()
    }
}

fn main() {}
