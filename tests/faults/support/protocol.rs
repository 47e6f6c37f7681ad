//! Two protocols: answers in the order of the requests, in lines; and answers matched by ids, in
//! frames with their length in front, where the peer can announce that it ends the connection.

use std::error::Error;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use statem::net::{Handshake, Protocol, Received};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec, LinesCodec};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) what: What,
    /// Filled in when it is sent, in the protocol with ids.
    pub(crate) id: u64,
    /// Bytes without a meaning behind it.
    pub(crate) padding: usize,
    /// Its answer may take as long as it likes.
    pub(crate) long: bool,
    /// It may run twice.
    pub(crate) again: bool,
    /// The codec refuses it.
    pub(crate) bad: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Hello,
    Ping,
    Run(u64),
}

impl Ask {
    pub(crate) fn run(key: u64) -> Self {
        What::Run(key).into()
    }
}

impl From<What> for Ask {
    fn from(what: What) -> Self {
        Ask {
            what,
            id: 0,
            padding: 0,
            long: false,
            again: false,
            bad: false,
        }
    }
}

/// What a protocol is to do, and where a test makes it panic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// Says hello first, and waits for the answer.
    pub(crate) greets: bool,
    /// Sends pings.
    pub(crate) pings: bool,
    /// Panics in the callback with this number, counted from 0.
    pub(crate) panics_at: Option<usize>,
    /// Panics when this key is answered.
    pub(crate) panics_on: Option<u64>,
    /// How many callbacks there were.
    pub(crate) callbacks: Arc<AtomicUsize>,
}

impl Manners {
    fn called(&self) {
        let index = self.callbacks.fetch_add(1, Ordering::Relaxed);
        if self.panics_at == Some(index) {
            // Without the hook of `panic!`: hundreds of messages would hide the one that matters.
            std::panic::resume_unwind(Box::new("the protocol panics"));
        }
    }

    fn answered(&self, key: u64) {
        if self.panics_on == Some(key) {
            std::panic::resume_unwind(Box::new("the protocol panics"));
        }
    }

    fn hello(&self, out: &mut Vec<Ask>) -> Handshake {
        self.called();
        if self.greets {
            out.push(What::Hello.into());
            Handshake::Continue
        } else {
            Handshake::Done
        }
    }

    fn ping(&self) -> Option<Ask> {
        self.called();
        self.pings.then(|| What::Ping.into())
    }

    fn replay(&self, request: &Ask) -> Option<Ask> {
        self.called();
        request.again.then(|| request.clone())
    }
}

/// The lines' protocol without manners.
pub(crate) fn lines() -> Lines {
    Lines(Manners::default())
}

/// It says hello.
pub(crate) fn greeting() -> Lines {
    Lines(Manners {
        greets: true,
        ..Manners::default()
    })
}

/// It looks whether the peer is there.
pub(crate) fn pinging() -> Lines {
    Lines(Manners {
        pings: true,
        ..Manners::default()
    })
}

/// The frames' protocol with so many ids.
pub(crate) fn frames(ids: u64) -> Frames {
    Frames(Manners::default(), 1..=ids)
}

/// A line is answered by a line, in order. Bytes, since garbage is no text.
pub(crate) struct Lines(pub(crate) Manners);

/// One line of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Welcome,
    Refused(String),
    Pong,
    Answer(u64),
    Push(u64),
    Other(String),
}

/// Refuses a line that the end of the connection has cut off. Its methods are callbacks too.
pub(crate) struct LineCodec(LinesCodec, Manners);

impl Decoder for LineCodec {
    type Item = Line;
    type Error = Box<dyn Error + Send + Sync>;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Line>, Self::Error> {
        self.1.called();
        let Some(line) = self.0.decode(bytes)? else {
            return Ok(None);
        };
        let key = |text: &str| text.parse().ok();
        Ok(Some(match (line.as_str(), line.split_at_checked(1)) {
            ("+hello", _) => Line::Welcome,
            ("=ping", _) => Line::Pong,
            (_, Some(("-", text))) => Line::Refused(text.to_owned()),
            (_, Some(("=", text))) if key(text).is_some() => Line::Answer(key(text).unwrap_or(0)),
            (_, Some(("!", text))) if key(text).is_some() => Line::Push(key(text).unwrap_or(0)),
            _ => Line::Other(line),
        }))
    }
}

impl Encoder<Ask> for LineCodec {
    type Error = io::Error;

    fn encode(&mut self, ask: Ask, bytes: &mut BytesMut) -> io::Result<()> {
        self.1.called();
        if ask.bad {
            return Err(io::Error::other("a line cannot say that"));
        }
        let text = match ask.what {
            What::Hello => "hello".to_owned(),
            What::Ping => "ping".to_owned(),
            What::Run(key) => key.to_string(),
        };
        bytes.reserve(text.len() + ask.padding + 2);
        bytes.put_slice(text.as_bytes());
        if ask.padding > 0 {
            bytes.put_u8(b' ');
            bytes.put_bytes(b'x', ask.padding);
        }
        bytes.put_u8(b'\n');
        Ok(())
    }
}

impl Protocol for Lines {
    type Codec = LineCodec;
    type Request = Ask;
    type Response = u64;

    fn codec(&self) -> LineCodec {
        self.0.called();
        LineCodec(LinesCodec::new_with_max_length(1 << 20), self.0.clone())
    }

    fn receive(&mut self, line: Line, _: &mut Vec<Ask>) -> Received<u64> {
        self.0.called();
        match line {
            Line::Answer(key) => {
                self.0.answered(key);
                Received::Answer(key)
            }
            Line::Pong => Received::Answer(0),
            Line::Push(key) => Received::Push(key),
            other => Received::Violation(format!("{other:?} is no answer").into()),
        }
    }

    fn hello(&mut self, out: &mut Vec<Ask>) -> Handshake {
        self.0.hello(out)
    }

    fn greeted(&mut self, line: Line, _: &mut Vec<Ask>) -> Handshake {
        self.0.called();
        match line {
            Line::Welcome => Handshake::Done,
            Line::Refused(why) => Handshake::Refused(why.into()),
            other => Handshake::Failed(format!("{other:?} is no greeting").into()),
        }
    }

    fn is_long(&self, request: &Ask) -> bool {
        self.0.called();
        request.long
    }

    fn replay(&self, request: &Ask) -> Option<Ask> {
        self.0.replay(request)
    }

    fn ping(&mut self) -> Option<Ask> {
        self.0.ping()
    }
}

/// A frame as its bytes, with some that mean nothing behind it.
pub(crate) fn frame(id: u64, kind: Kind, key: u64, padding: usize) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_u32(u32::try_from(17 + padding).unwrap());
    frame.put_u64(id);
    frame.put_u8(kind as u8);
    frame.put_u64(key);
    frame.put_bytes(0, padding);
    frame
}

/// Frames are matched by ids, of which there are as many as the test says.
pub(crate) struct Frames(pub(crate) Manners, pub(crate) RangeInclusive<u64>);

/// One frame, of either side: an id, a kind, a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) key: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Hello,
    Ping,
    Run,
    Drain,
    Push,
}

pub(crate) struct FrameCodec(LengthDelimitedCodec);

impl FrameCodec {
    pub(crate) fn new() -> Self {
        FrameCodec(LengthDelimitedCodec::new())
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Frame>> {
        let Some(mut frame) = self.0.decode(bytes)? else {
            return Ok(None);
        };
        if frame.len() < 17 {
            return Err(io::Error::other("a frame has at least 17 bytes"));
        }
        let (id, kind, key) = (frame.get_u64(), frame.get_u8(), frame.get_u64());
        let kinds = [Kind::Hello, Kind::Ping, Kind::Run, Kind::Drain, Kind::Push];
        match kinds.into_iter().find(|known| *known as u8 == kind) {
            Some(kind) => Ok(Some(Frame { id, kind, key })),
            None => Err(io::Error::other("there is no such kind of frame")),
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame, bytes: &mut BytesMut) -> io::Result<()> {
        let mut written = BytesMut::with_capacity(17);
        written.put_u64(frame.id);
        written.put_u8(frame.kind as u8);
        written.put_u64(frame.key);
        self.0.encode(written.freeze(), bytes)
    }
}

impl Encoder<Ask> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, ask: Ask, bytes: &mut BytesMut) -> io::Result<()> {
        if ask.bad {
            return Err(io::Error::other("a frame cannot say that"));
        }
        let (kind, key) = match ask.what {
            What::Hello => (Kind::Hello, 0),
            What::Ping => (Kind::Ping, 0),
            What::Run(key) => (Kind::Run, key),
        };
        let mut written = BytesMut::with_capacity(17 + ask.padding);
        written.put_u64(ask.id);
        written.put_u8(kind as u8);
        written.put_u64(key);
        written.put_bytes(0, ask.padding);
        self.0.encode(Bytes::from(written), bytes)
    }
}

impl Protocol for Frames {
    type Codec = FrameCodec;
    type Request = Ask;
    type Response = u64;

    fn codec(&self) -> FrameCodec {
        self.0.called();
        FrameCodec::new()
    }

    fn receive(&mut self, frame: Frame, _: &mut Vec<Ask>) -> Received<u64> {
        self.0.called();
        match frame.kind {
            Kind::Run | Kind::Ping => Received::AnswerTo(frame.id, frame.key),
            Kind::Drain => Received::Drain,
            Kind::Push => Received::Push(frame.key),
            Kind::Hello => Received::Violation("a second greeting".into()),
        }
    }

    fn hello(&mut self, out: &mut Vec<Ask>) -> Handshake {
        self.0.hello(out)
    }

    fn greeted(&mut self, frame: Frame, _: &mut Vec<Ask>) -> Handshake {
        self.0.called();
        match frame.kind {
            Kind::Hello => Handshake::Done,
            other => Handshake::Failed(format!("{other:?} is no greeting").into()),
        }
    }

    fn ids(&self) -> Option<RangeInclusive<u64>> {
        self.0.called();
        Some(self.1.clone())
    }

    fn stamp(&self, request: &mut Ask, id: u64) {
        self.0.called();
        request.id = id;
    }

    fn is_long(&self, request: &Ask) -> bool {
        self.0.called();
        request.long
    }

    fn replay(&self, request: &Ask) -> Option<Ask> {
        self.0.replay(request)
    }

    fn ping(&mut self) -> Option<Ask> {
        self.0.ping()
    }
}
