//! A codec or a byte stream that panics ends its machine, and nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use statem::net::{Link, LinkEvent};
use statem::testing::{WireEnd, wire};
use statem::{CallError, Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, spawn};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::{Decoder, Encoder};

/// Panics at what its machine is to be ended by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Decode,
    Encode,
    Read,
    Write,
    Shutdown,
    /// The codec that comes after another one.
    Changed,
}

struct Codec(Breaks);

impl Decoder for Codec {
    type Item = ();
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<()>> {
        assert!(bytes.is_empty() || self.0 != Breaks::Decode, "decode");
        Ok(None)
    }
}

impl Encoder<()> for Codec {
    type Error = io::Error;

    fn encode(&mut self, (): (), bytes: &mut BytesMut) -> io::Result<()> {
        bytes.extend_from_slice(b"half");
        assert!(self.0 != Breaks::Encode, "encode");
        Ok(())
    }
}

struct Stream(Breaks, WireEnd);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(self.0 != Breaks::Read, "read");
        Pin::new(&mut self.1).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        assert!(self.0 != Breaks::Write, "write");
        Pin::new(&mut self.1).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.1).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.0 != Breaks::Shutdown, "shutdown");
        Pin::new(&mut self.1).poll_shutdown(cx)
    }
}

#[derive(StateMachine)]
#[machine(event = Event, data = World)]
enum Holder {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Default)]
struct World {
    link: Option<Link<Codec>>,
    calls: Vec<Reply<()>>,
}

enum Event {
    Open(Breaks, WireEnd),
    Call(Reply<()>),
    Link(LinkEvent<()>),
}

impl Handler for Holder {
    fn handle(_: HolderAt<'_>, event: Event, world: &mut World, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Open(breaks, io) => {
                let first = if breaks == Breaks::Changed {
                    Breaks::Read
                } else {
                    breaks
                };
                let mut link = Link::open(Stream(breaks, io), Codec(first), cx, Event::Link);
                if breaks == Breaks::Changed {
                    link = link.with_codec(Codec(Breaks::Decode), Event::Link);
                }
                world.link = Some(link);
            }
            Event::Call(reply) => {
                world.calls.push(reply);
                let link = world.link.as_mut().expect("it was opened");
                link.send(()).expect("there is room");
                link.close(std::time::Duration::from_secs(1));
            }
            Event::Link(event) => panic!("{event:?}"),
        }
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn n39_what_panics_in_a_link_ends_its_machine_closes_the_socket_and_tells_the_callers() {
    for (breaks, wanted) in [
        (Breaks::Decode, "decode"),
        (Breaks::Encode, "encode"),
        (Breaks::Read, "read"),
        (Breaks::Write, "write"),
        (Breaks::Shutdown, "shutdown"),
        (Breaks::Changed, "decode"),
    ] {
        let (end, far) = wire();
        let holder = spawn::<Holder>(Ready, World::default());
        let mut call = Box::pin(holder.call(Event::Call));
        holder
            .cast(Event::Open(breaks, end))
            .await
            .expect("the machine runs");
        if matches!(breaks, Breaks::Decode | Breaks::Changed) {
            far.send("x");
        }
        match call.as_mut().await {
            Err(CallError::Stopped {
                reason:
                    ExitReason::Panicked {
                        message, callback, ..
                    },
                ..
            }) => {
                assert_eq!(&*message, wanted);
                let named = callback.contains("net::link::Link<link::panics::Codec>");
                assert_eq!(named, breaks != Breaks::Encode, "{callback}");
            }
            other => panic!("{wanted}: {other:?}"),
        }
        drop(call);
        holder.closed().await;
        assert!(far.is_closed(), "{wanted}");
        if breaks == Breaks::Encode {
            assert!(far.take_written().is_empty(), "a half of an item was sent");
        }
    }
}
