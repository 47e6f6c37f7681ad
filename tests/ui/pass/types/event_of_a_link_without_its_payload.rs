#![allow(dead_code)]

use std::io;

use statem::net::{Link, LinkEvent};
use statem::{Cx, Handler, Next, StateMachine, unexpected};
use tokio::net::TcpStream;
use tokio_util::codec::LinesCodec;

enum Event {
    Dialled(io::Result<TcpStream>),
    Line(LinkEvent<String>),
}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Session {
    #[initial]
    #[to(Ready)]
    Dialling,
    #[to()]
    Ready(Ready),
}

struct Ready {
    link: Link<LinesCodec>,
}

impl Handler for Session {
    fn handle(state: SessionAt<'_>, event: Event, _: &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (SessionAt::Dialling(s), Event::Dialled(Ok(io))) => {
                s.go(Ready { link: Link::open(io, LinesCodec::new(), cx, Event::Line) })
            }
            (_, event) => unexpected(event),
        }
    }
}

fn main() {}
