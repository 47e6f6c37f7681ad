#![allow(dead_code)]
#![deny(unused_must_use)]

use statem::{Cx, Handle, Handler, Next, StateMachine, unexpected};

enum Event {
    Up,
    Down,
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Connecting)]
    Disconnected(Disconnected),
    #[to(Connected, Disconnected)]
    Connecting,
    #[to(Disconnected)]
    Connected(Connected),
}

struct Disconnected {
    attempt: u32,
}

struct Connected {
    link: String,
}

impl Handler for Connection {
    fn handle(_: ConnectionAt<'_>, event: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

async fn up(connection: &Handle<Connection>) -> Result<(), statem::CastError<Event>> {
    connection.cast(Event::Up).await?;
    Ok(())
}

fn main() {}
