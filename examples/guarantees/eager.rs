use std::io;

use statem::net::{Link, LinkEvent};
use statem::{Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, keep, stop, unexpected};
use tokio::net::TcpStream;
use tokio_util::codec::LinesCodec;

/// The wrong way: a client that promises to be connected when it has started.
///
/// It cannot keep that while there is no server, so it fails, and whoever starts it again has it fail
/// again.
#[derive(StateMachine)]
#[machine(event = Event, data = String)]
pub enum Eager {
    /// It tries to connect, once.
    #[initial]
    #[to(Connected = "dialled")]
    Dialling,
    /// It is connected, as it has promised.
    #[to()]
    Connected(Connected),
}

/// A connection.
pub struct Connected {
    link: Link<LinesCodec>,
    asked: Option<Reply<String>>,
}

/// What happens to it.
pub enum Event {
    /// The price of a thing.
    Price(String, Reply<String>),
    /// The attempt to connect has ended.
    Dialled(io::Result<TcpStream>),
    /// Something came, or the connection ended.
    Link(LinkEvent<String>),
}

impl Handler for Eager {
    fn enter(&mut self, address: &mut String, cx: &mut EnterCx<Self>) {
        if let Self::Dialling = self {
            cx.state_task(TcpStream::connect(address.clone()), Event::Dialled);
        }
    }

    fn handle(state: EagerAt<'_>, event: Event, _: &mut String, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (EagerAt::Dialling(s), Event::Dialled(Ok(io))) => s.go(Connected {
                link: Link::open(io, LinesCodec::new(), cx, Event::Link),
                asked: None,
            }),
            (EagerAt::Dialling(_), Event::Dialled(Err(error))) => stop(ExitReason::other(error)),
            (EagerAt::Dialling(_), call @ Event::Price(..)) => statem::postpone(call),
            (EagerAt::Connected(mut s), Event::Price(thing, reply)) => {
                if s.link.send(thing).is_ok() {
                    s.asked = Some(reply);
                }
                keep()
            }
            (EagerAt::Connected(mut s), Event::Link(LinkEvent::Frame(price))) => {
                drop(s.asked.take().map(|reply| reply.send(price)));
                keep()
            }
            (EagerAt::Connected(_), Event::Link(LinkEvent::Closed(_))) => {
                stop(ExitReason::other("the connection is lost"))
            }
            (_, event) => unexpected(event),
        }
    }
}
