//! A machine that keeps what it is asked where the test can take it, and has a link to send on.

use statem::net::{Link, LinkEvent, Mark, NotSent, RequestError, Unknown};
use statem::testing::{Bench, Wire, WireEnd, wire};
use statem::{Answer, CallError, Cx, Handler, Next, Reply, StateMachine, keep};
use tokio_util::codec::LinesCodec;

pub(crate) type Back = Reply<String, RequestError>;
pub(crate) type Caller = Answer<String, RequestError>;

#[derive(StateMachine)]
#[machine(event = Event, data = Desk)]
enum Asked {
    #[initial]
    #[to()]
    Open,
}

#[derive(Default)]
struct Desk {
    link: Option<Link<LinesCodec>>,
    asked: Option<Back>,
    sent: Option<Mark>,
}

enum Event {
    Ask(Back),
    Open(WireEnd),
    Send,
    Link,
}

impl Handler for Asked {
    fn handle(_: AskedAt<'_>, event: Event, desk: &mut Desk, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Ask(reply) => desk.asked = Some(reply),
            Event::Open(io) => {
                let map = |_: LinkEvent<String>| Event::Link;
                desk.link = Some(Link::open(io, LinesCodec::new(), cx, map));
            }
            Event::Send => {
                let link = desk.link.as_mut().expect("it is open");
                desk.sent = Some(link.send("123456789").expect("there is room"));
            }
            Event::Link => {}
        }
        keep()
    }
}

/// Where calls and marks come from.
pub(crate) struct Scene {
    bench: Bench<Asked>,
    /// What is sent arrives here, as far as it is accepted.
    pub(crate) wire: Wire,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (near, wire) = wire();
        let mut bench = Bench::new(Open, Desk::default());
        bench.send(Event::Open(near));
        Scene { bench, wire }
    }

    /// A call that the machine has taken, and its caller.
    pub(crate) fn call(&mut self) -> (Back, Caller) {
        let caller = self.bench.call(Event::Ask);
        let reply = self.bench.data_mut().asked.take().expect("it was asked");
        (reply, caller)
    }

    /// Sends a line of ten bytes. What is not accepted of it leaves with [`Scene::flush`].
    pub(crate) fn send(&mut self) -> Mark {
        self.bench.send(Event::Send);
        self.bench.data_mut().sent.take().expect("it was sent")
    }

    pub(crate) fn flush(&mut self) {
        self.bench.poll();
    }

    pub(crate) fn link(&self) -> &Link<LinesCodec> {
        self.bench.data().link.as_ref().expect("it is open")
    }
}

/// What a caller was told, in a word.
pub(crate) fn told(caller: &mut Caller) -> String {
    match caller.try_take() {
        None => "nothing".to_owned(),
        Some(Ok(value)) => value,
        Some(Err(CallError::Failed(error))) => match error {
            RequestError::NotSent(NotSent::Disconnected(_)) => "disconnected".to_owned(),
            RequestError::NotSent(NotSent::QueueFull) => "full".to_owned(),
            RequestError::NotSent(NotSent::Displaced) => "displaced".to_owned(),
            RequestError::NotSent(NotSent::Busy) => "busy".to_owned(),
            RequestError::NotSent(NotSent::Stopping) => "stopping".to_owned(),
            RequestError::NotSent(NotSent::Closed(_)) => "not sent".to_owned(),
            RequestError::Unknown(Unknown::Lost(_)) => "unknown".to_owned(),
            RequestError::Protocol(_) => "protocol".to_owned(),
            other => format!("{other:?}"),
        },
        Some(Err(CallError::NotAnswered { .. })) => "not answered".to_owned(),
        Some(Err(other)) => format!("{other:?}"),
    }
}
