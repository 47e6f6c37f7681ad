use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use statem::net::{Lines, Link, LinkEvent};
use statem::{Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, keep, stop, unexpected};
use tokio::net::TcpStream;

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
    link: Link<Lines>,
    /// Who waits for an answer, in the order in which they asked.
    asked: VecDeque<Reply<String>>,
}

/// What happens to it.
pub enum Event {
    /// The price of a thing.
    Price(String, Reply<String>),
    /// The attempt to connect has ended.
    Dialled(io::Result<TcpStream>),
    /// It takes too long.
    TooLate,
    /// Something came, or the connection ended.
    Link(LinkEvent<String>),
}

impl Handler for Eager {
    fn enter(&mut self, address: &mut String, cx: &mut EnterCx<Self>) {
        if let Self::Dialling = self {
            cx.state_task(TcpStream::connect(address.clone()), Event::Dialled);
            cx.state_timeout(Duration::from_secs(5), Event::TooLate);
        }
    }

    fn handle(state: EagerAt<'_>, event: Event, _: &mut String, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (EagerAt::Dialling(s), Event::Dialled(Ok(io))) => s.go(Connected {
                link: Link::open(io, Lines::new(1024), cx, Event::Link),
                asked: VecDeque::new(),
            }),
            (EagerAt::Dialling(_), Event::Dialled(Err(error))) => stop(ExitReason::other(error)),
            (EagerAt::Dialling(_), Event::TooLate) => {
                stop(ExitReason::other("no connection within five seconds"))
            }
            (EagerAt::Dialling(_), call @ Event::Price(..)) => statem::postpone(call),
            (EagerAt::Connected(mut s), Event::Price(thing, reply)) => {
                if s.link.send(thing).is_ok() {
                    s.asked.push_back(reply);
                }
                keep()
            }
            (EagerAt::Connected(mut s), Event::Link(LinkEvent::Frame(price))) => {
                drop(s.asked.pop_front().map(|reply| reply.send(price)));
                keep()
            }
            (EagerAt::Connected(_), Event::Link(LinkEvent::Closed(_))) => {
                stop(ExitReason::other("the connection is lost"))
            }
            (_, event) => unexpected(event),
        }
    }
}
