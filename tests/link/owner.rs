//! A machine that does to its link what a test tells it, whatever codec the link has.

use std::time::Duration;

use bytes::Bytes;
use statem::net::{Exactly, Io, Link, LinkConfig, LinkEvent, Mark, SendError};
use statem::testing::{Bench, Wire, wire};
use statem::{Cx, Handler, Next, StateMachine, keep, keep_and_retry, postpone};
use tokio_util::codec::LinesCodec;

#[derive(StateMachine)]
#[machine(event = Event, data = World)]
pub(crate) enum Owner {
    #[initial]
    #[to(Ready)]
    Ready,
}

pub(crate) enum Event {
    Do(Deed),
    Line(LinkEvent<String>),
    Bytes(LinkEvent<Bytes>),
}

type Deed = Box<dyn FnOnce(&mut World, &mut Cx<Owner>) + Send>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) lines: Option<Link<LinesCodec>>,
    pub(crate) bytes: Option<Link<Exactly>>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) log: Vec<String>,
    /// Whether frames are postponed.
    pub(crate) holds: bool,
    /// Whether postponed frames are to be tried again.
    retries: bool,
}

impl World {
    /// Frames are no longer postponed.
    pub(crate) fn release(&mut self) {
        self.holds = false;
        self.retries = true;
    }

    pub(crate) fn link(&mut self) -> &mut Link<LinesCodec> {
        self.lines.as_mut().expect("it talks in lines")
    }

    pub(crate) fn send(&mut self, line: &str) {
        match self.link().send(line.to_owned()) {
            Ok(mark) => self.marks.push(mark),
            Err(SendError::Full(line)) => self.log.push(format!("full for {line}")),
            Err(SendError::Closed(line)) => self.log.push(format!("closed for {line}")),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn talk_bytes(&mut self, length: usize) {
        let link = self.lines.take().expect("it talks in lines");
        self.bytes = Some(link.with_codec(Exactly::new(length), Event::Bytes));
    }

    pub(crate) fn talk_lines(&mut self) {
        let link = self.bytes.take().expect("it talks in bytes");
        self.lines = Some(link.with_codec(LinesCodec::new(), Event::Line));
    }

    /// What a peer can ask for by a frame.
    fn obey(&mut self, frame: &str) {
        if let Some(length) = frame.strip_prefix("raw ") {
            self.talk_bytes(length.parse().expect("a length"));
        } else if frame == "text" {
            self.talk_lines();
        } else if frame == "bye" {
            self.send("so long");
            self.link().close(Duration::from_secs(1));
        } else if frame == "hush" {
            self.link().pause();
        }
    }

    fn note<Frame: AsRef<[u8]>>(&mut self, kind: &str, event: LinkEvent<Frame>) {
        match event {
            LinkEvent::Frame(frame) => {
                let frame = String::from_utf8_lossy(frame.as_ref()).into_owned();
                self.log.push(format!("{kind} {frame}"));
                self.obey(&frame);
            }
            LinkEvent::Room => self.log.push("room".to_owned()),
            LinkEvent::Closed(reason) => self.log.push(format!("closed: {reason}")),
            _ => panic!("an event that this test does not know"),
        }
    }
}

impl Handler for Owner {
    fn handle(_: OwnerAt<'_>, event: Event, world: &mut World, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Do(deed) => deed(world, cx),
            event if world.holds => return postpone(event),
            Event::Line(event) => world.note("line", event),
            Event::Bytes(event) => world.note("bytes", event),
        }
        if std::mem::take(&mut world.retries) {
            keep_and_retry()
        } else {
            keep()
        }
    }
}

pub(crate) fn deed(deed: impl FnOnce(&mut World, &mut Cx<Owner>) + Send + 'static) -> Event {
    Event::Do(Box::new(deed))
}

/// Has the machine do this, and lets it see what comes of it.
pub(crate) fn act(owner: &mut Bench<Owner>, deed: impl FnOnce(&mut World) + Send + 'static) {
    owner.send(Event::Do(Box::new(|world, _| deed(world))));
    owner.poll();
}

/// A machine that talks in lines on any byte stream.
pub(crate) fn on(config: LinkConfig, io: impl Io + 'static) -> Bench<Owner> {
    let mut owner = Bench::new(Ready, World::default());
    owner.send(deed(move |world, cx| {
        let link = Link::open_with(config, io, LinesCodec::new(), cx, Event::Line);
        world.lines = Some(link);
    }));
    owner.poll();
    owner
}

/// A machine that talks in lines on a wire, and the other end.
pub(crate) fn talking(config: LinkConfig) -> (Bench<Owner>, Wire) {
    let (end, far) = wire();
    (on(config, end), far)
}

/// What has happened since this was last asked.
pub(crate) fn news(owner: &mut Bench<Owner>) -> Vec<String> {
    owner.poll();
    std::mem::take(&mut owner.data_mut().log)
}

/// For each item sent, whether any of it was handed to the transport.
pub(crate) fn handed(owner: &Bench<Owner>) -> Vec<bool> {
    let world = owner.data();
    let link = world.lines.as_ref().expect("it talks in lines");
    world
        .marks
        .iter()
        .map(|&mark| link.is_handed(mark))
        .collect()
}
