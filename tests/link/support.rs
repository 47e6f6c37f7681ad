//! A machine that does with its link what a test tells it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use statem::net::{Io, Link, LinkConfig, LinkEvent, Mark, SendError};
use statem::testing::{Bench, Wire, wire};
use statem::{Cx, Handler, Next, Reply, StateMachine, keep, keep_and_retry, postpone};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::{Decoder, Encoder, LinesCodec, LinesCodecError};

/// A party to a conversation in lines.
#[derive(StateMachine)]
#[machine(event = Event, data = Notes)]
pub(crate) enum Talk {
    #[initial]
    #[to(Together)]
    Apart,
    #[to(Apart)]
    Together(Together),
}

pub(crate) struct Together {
    link: Link<Codec>,
    /// What was sent, and where it begins.
    sent: Vec<(String, Mark)>,
}

/// Lines, of which `bad` cannot be written, and `head` is one frame with the next.
#[derive(Default)]
pub(crate) struct Codec {
    lines: LinesCodec,
    /// Whether a head was taken out of the buffer.
    head: bool,
}

impl Decoder for Codec {
    type Item = String;
    type Error = LinesCodecError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<String>, LinesCodecError> {
        let mut line = self.lines.decode(bytes)?;
        if line.as_deref() == Some("head") {
            self.head = true;
            line = self.lines.decode(bytes)?;
        }
        self.head &= line.is_none();
        Ok(line)
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<String>, LinesCodecError> {
        match self.decode(bytes)? {
            None if self.head => Err(LinesCodecError::MaxLineLengthExceeded),
            None => self.lines.decode_eof(bytes),
            line => Ok(line),
        }
    }
}

impl<'a> Encoder<&'a str> for Codec {
    type Error = LinesCodecError;

    fn encode(&mut self, line: &'a str, bytes: &mut BytesMut) -> Result<(), LinesCodecError> {
        self.lines.encode(line, bytes)?;
        if line == "bad" {
            Err(LinesCodecError::MaxLineLengthExceeded)
        } else {
            Ok(())
        }
    }
}

/// What a test sets, and what it reads.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) config: LinkConfig,
    /// Whether lines are postponed.
    pub(crate) holds: bool,
    /// Whether every line is sent back.
    pub(crate) echoes: bool,
    /// Everything that happened.
    pub(crate) log: Vec<String>,
}

pub(crate) enum Event {
    Open(Box<dyn Io>),
    /// Sends these lines, in one transition.
    Send(Vec<String>),
    /// Stops holding lines back.
    Release,
    /// Takes so many more events in.
    Read(usize),
    /// Drops the link.
    Leave,
    Log(Reply<Vec<String>>),
    Link(LinkEvent<String>),
}

impl Handler for Talk {
    fn handle(state: TalkAt<'_>, event: Event, notes: &mut Notes, cx: &mut Cx<Self>) -> Next<Self> {
        use {Event as E, TalkAt as S};
        match (state, event) {
            (S::Apart(s), E::Open(io)) => {
                let link = Link::open_with(notes.config, io, Codec::default(), cx, E::Link);
                s.go(Together {
                    link,
                    sent: Vec::new(),
                })
            }
            (S::Together(mut s), E::Send(lines)) => {
                for line in lines {
                    s.send(line, notes);
                }
                keep()
            }
            (S::Together(_), line @ E::Link(LinkEvent::Frame(_))) if notes.holds => postpone(line),
            (S::Together(mut s), E::Link(LinkEvent::Frame(line))) => {
                notes.log.push(line.clone());
                if notes.echoes {
                    s.send(line, notes);
                }
                keep()
            }
            (S::Together(s), E::Link(LinkEvent::Closed(why))) => {
                for (line, mark) in &s.sent {
                    let fate = if s.link.is_handed(*mark) {
                        "Unknown"
                    } else {
                        "NotSent"
                    };
                    notes.log.push(format!("{line}!{fate}"));
                }
                notes.log.push(format!("closed: {why}"));
                s.go(Apart)
            }
            (S::Together(_), E::Link(LinkEvent::Room)) => keep(),
            (_, E::Release) => {
                notes.holds = false;
                keep_and_retry()
            }
            (S::Together(s), E::Read(count)) => {
                s.link.read(count);
                keep()
            }
            (S::Together(s), E::Leave) => s.go(Apart),
            (_, E::Log(reply)) => {
                drop(reply.send(notes.log.clone()));
                keep()
            }
            (_, event) => statem::unexpected(event),
        }
    }
}

impl Together {
    fn send(&mut self, line: String, notes: &mut Notes) {
        match self.link.send(line.as_str()) {
            Ok(mark) => self.sent.push((line, mark)),
            Err(SendError::Full(line)) => notes.log.push(format!("full: {line}")),
            Err(SendError::Closed(line)) => notes.log.push(format!("closed for: {line}")),
            Err(error) => notes.log.push(error.to_string()),
        }
    }
}

/// A machine on a wire, and the other end.
pub(crate) fn together(notes: Notes) -> (Bench<Talk>, Wire) {
    let (end, far) = wire();
    (on(notes, end), far)
}

/// A machine on any byte stream.
pub(crate) fn on(notes: Notes, io: impl Io + 'static) -> Bench<Talk> {
    let mut talk = Bench::new(Apart, notes);
    talk.send(Event::Open(Box::new(io)));
    talk.poll();
    talk
}

/// What happened.
pub(crate) fn log(talk: &Bench<Talk>) -> &[String] {
    &talk.data().log
}

/// Sends these lines in one transition.
pub(crate) fn send(talk: &mut Bench<Talk>, lines: &[&str]) {
    talk.send(Event::Send(
        lines.iter().map(|&line| line.to_owned()).collect(),
    ));
}

/// A byte stream whose peer has sent this much and closed its side, and where writing fails.
pub(crate) struct Half(pub(crate) &'static [u8]);

impl AsyncRead for Half {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Half {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
