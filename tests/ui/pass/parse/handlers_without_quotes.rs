use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event, handlers = "per_state")]
enum Connection {
    #[initial]
    Disconnected,
}

impl statem::State<Connection> for Disconnected {
    fn handle(
        _: statem::At<'_, Connection, Self>,
        _: Event,
        (): &mut (),
        _: &mut statem::Cx<Connection>,
    ) -> statem::Next<Connection> {
        statem::keep()
    }
}

fn main() {}
