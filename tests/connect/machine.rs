//! A machine that connects, on a paused clock: it is there for others meanwhile.

use statem::net::{ConnectError, Connection, Connector};
use statem::{Cx, EnterCx, Handler, Next, Reply, StateMachine, keep, spawn};
use tokio::time::advance;

use crate::support::{Network, ms, now};

#[derive(StateMachine)]
#[machine(event = Event, data = Connector)]
enum Session {
    #[initial]
    #[to(Up, Down)]
    Connecting,
    #[to(Connecting)]
    Up(Up),
    #[to(Connecting)]
    Down(Down),
}

struct Up {
    connection: Connection,
}

struct Down {
    error: ConnectError,
}

enum Event {
    Tried(Result<Connection, ConnectError>),
    Status(Reply<String>),
    Again,
}

impl Handler for Session {
    fn enter(&mut self, connector: &mut Connector, cx: &mut EnterCx<Self>) {
        if let Self::Connecting = self {
            cx.state_task(connector.connect(), Event::Tried);
        }
    }

    fn handle(
        state: SessionAt<'_>,
        event: Event,
        _: &mut Connector,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (SessionAt::Connecting(s), Event::Tried(Ok(connection))) => s.go(Up { connection }),
            (SessionAt::Connecting(s), Event::Tried(Err(error))) => s.go(Down { error }),
            (SessionAt::Up(s), Event::Again) => s.go(Connecting),
            (SessionAt::Down(s), Event::Again) => s.go(Connecting),
            (state, Event::Status(reply)) => {
                let _ = reply.send(match state {
                    SessionAt::Connecting(_) => "connecting".to_owned(),
                    SessionAt::Up(s) => s.connection.address.to_string(),
                    SessionAt::Down(s) => s.error.to_string(),
                });
                keep()
            }
            (_, event) => statem::unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f05_a_machine_answers_and_stops_at_once_while_a_connect_hangs() {
    let network = Network::new("10.0.0.1:1 hangs");
    let session = spawn::<Session>(Connecting, network.connector("10.0.0.1:1"));
    let start = now();
    let status = session.call(Event::Status).await.expect("it answers");
    assert_eq!((status.as_str(), now() - start), ("connecting", ms(0)));
    assert_eq!(network.open(), 1);

    advance(ms(5_000)).await;
    let status = session.call(Event::Status).await.expect("it answers");
    assert_eq!(status, "not connected: 10.0.0.1:1: no connection within 5s");
    assert_eq!(network.open(), 0);

    session.cast(Event::Again).await.expect("it runs");
    let status = session.call(Event::Status).await.expect("it answers");
    assert_eq!((status.as_str(), network.open()), ("connecting", 1));
    let start = now();
    session.stop().await;
    assert_eq!((now() - start, network.open()), (ms(0), 0));
}

#[tokio::test(start_paused = true)]
async fn f01_f03_a_machine_starts_without_a_network_and_connects_when_there_is_one() {
    let network = Network::new("db hangs");
    let session = spawn::<Session>(Connecting, network.connector("db:1"));
    let status = session.call(Event::Status).await.expect("it answers");
    assert_eq!(status, "connecting");
    advance(ms(5_000)).await;
    let status = session.call(Event::Status).await.expect("it answers");
    assert_eq!(
        status,
        "not connected: db:1: the name was not resolved within 5s"
    );

    network.change("db gives 10.0.0.1:1\n10.0.0.1:1 accepts");
    session.cast(Event::Again).await.expect("it runs");
    let status = loop {
        let status = session.call(Event::Status).await.expect("it answers");
        if status != "connecting" {
            break status;
        }
    };
    assert_eq!(status, "10.0.0.1:1");
    session.stop().await;
    assert_eq!(network.open(), 0);
}
