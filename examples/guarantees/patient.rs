use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use statem::net::{Lines, Link, LinkEvent};
use statem::{Backoff, Cx, EnterCx, Handler, Next, Reply, StateMachine, keep, unexpected};
use tokio::net::TcpStream;

/// The right way: a client that promises to answer, and to connect when it can.
///
/// It starts offline, which needs nothing and so cannot fail. Without a server it says so, which is
/// an answer, too.
#[derive(StateMachine)]
#[machine(event = Event, data = Client)]
pub enum Patient {
    /// It waits before it tries to connect.
    #[initial]
    #[to(Dialling = "back-off over")]
    Offline,
    /// It tries to connect.
    #[to(Online = "dialled", Offline = "refused or too late")]
    Dialling,
    /// It is connected.
    #[to(Offline = "lost")]
    Online(Online),
}

/// What it keeps in every state.
pub struct Client {
    /// Where the server is, when it is.
    pub address: String,
    /// How long it waits between two attempts.
    pub backoff: Backoff,
}

/// A connection.
pub struct Online {
    link: Link<Lines>,
    /// Who waits for an answer, in the order in which they asked.
    asked: VecDeque<Reply<String, NoServer>>,
}

/// There is no connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoServer;

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no server, ask again later")
    }
}

impl Error for NoServer {}

/// What happens to it.
pub enum Event {
    /// The price of a thing.
    Price(String, Reply<String, NoServer>),
    /// It is time to connect.
    Retry,
    /// The attempt to connect has ended.
    Dialled(io::Result<TcpStream>),
    /// It takes too long.
    TooLate,
    /// Something came, or the connection ended.
    Link(LinkEvent<String>),
}

impl Handler for Patient {
    fn enter(&mut self, client: &mut Client, cx: &mut EnterCx<Self>) {
        match self {
            Self::Offline => cx.state_timeout(client.backoff.delay(), Event::Retry),
            Self::Dialling => {
                cx.state_task(TcpStream::connect(client.address.clone()), Event::Dialled);
                cx.state_timeout(Duration::from_secs(5), Event::TooLate);
            }
            Self::Online(_) => {}
        }
    }

    fn handle(
        state: PatientAt<'_>,
        event: Event,
        client: &mut Client,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use PatientAt as S;
        match (state, event) {
            (S::Offline(s), Event::Retry) => s.go(Dialling),
            (S::Dialling(s), Event::Dialled(Ok(io))) => s.go(Online {
                link: Link::open(io, Lines::new(1024), cx, Event::Link),
                asked: VecDeque::new(),
            }),
            (S::Dialling(s), Event::Dialled(Err(_)) | Event::TooLate) => s.go(Offline),
            (S::Offline(_) | S::Dialling(_), Event::Price(_, reply)) => {
                let _ = reply.fail(NoServer);
                keep()
            }
            (S::Online(mut s), Event::Price(thing, reply)) => {
                if s.link.send(thing).is_ok() {
                    s.asked.push_back(reply);
                }
                keep()
            }
            (S::Online(mut s), Event::Link(LinkEvent::Frame(price))) => {
                client.backoff.reset();
                drop(s.asked.pop_front().map(|reply| reply.send(price)));
                keep()
            }
            (S::Online(s), Event::Link(LinkEvent::Closed(_))) => s.go(Offline),
            (_, event) => unexpected(event),
        }
    }
}
