//! Peers that send what they should not, or as slowly as they can: what it costs, what the log hears,
//! and that nobody else is harmed.

use std::fmt;
use std::time::Duration;

use allocation_counter::measure;
use bytes::Bytes;
use statem::net::{Accepted, Io, Link, LinkConfig, LinkEvent, Server, ServerBuilder};
use statem::{
    Builder, Cx, EnterCx, ExitReason, Handler, Next, StateMachine, keep, stop, unexpected,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_util::codec::LengthDelimitedCodec;
use tracing::Level;

use crate::log::{Log, listen};
use crate::support::{Client, Door, Marks, balanced, ms, now, rest};

/// The longest frame.
const FRAME: usize = 4096;
/// How long a frame may take, however many bytes of it come.
const WHOLE: Duration = Duration::from_secs(10);
/// How long the log is quiet about further ones.
const QUIET: Duration = Duration::from_secs(60);

/// Answers each frame with the same one. It gives up who does not send whole frames.
#[derive(StateMachine)]
#[machine(event = Event, data = Marks, shutdown = Event::Leave)]
enum Framed {
    #[initial]
    #[to(Open)]
    New(New),
    #[to()]
    Open(Open),
}

struct New {
    io: Box<dyn Io>,
}

struct Open {
    link: Link<LengthDelimitedCodec>,
}

enum Event {
    Begin,
    Link(LinkEvent<bytes::BytesMut>),
    Slow,
    Leave,
}

impl Handler for Framed {
    fn enter(&mut self, _: &mut Marks, cx: &mut EnterCx<Self>) {
        match self {
            Self::New(_) => cx.insert(Event::Begin),
            Self::Open(_) => cx.state_timeout(WHOLE, Event::Slow),
        }
    }

    fn handle(state: FramedAt<'_>, event: Event, _: &mut Marks, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (FramedAt::New(s), Event::Begin) => s.go_with(|old| {
                // The codec makes room for the length that a peer announces, so it has the limit, too.
                let codec = LengthDelimitedCodec::builder()
                    .max_frame_length(FRAME)
                    .new_codec();
                let config = LinkConfig::default()
                    .max_frame(FRAME)
                    .write_timeout(WHOLE / 2);
                Open {
                    link: Link::open_with(config, old.io, codec, cx, Event::Link),
                }
            }),
            (FramedAt::Open(mut s), Event::Link(LinkEvent::Frame(frame))) => {
                cx.state_timeout(WHOLE, Event::Slow);
                match &frame[..] {
                    b"unshowable" => stop(ExitReason::ended(Unshowable)),
                    b"pour" => {
                        while s.link.send(Bytes::from_static(&[0; FRAME])).is_ok() {}
                        keep()
                    }
                    _ => match s.link.send(frame.freeze()) {
                        Ok(_) => keep(),
                        Err(_) => stop(ExitReason::ended("it does not read its answers")),
                    },
                }
            }
            (FramedAt::Open(_), Event::Link(LinkEvent::Closed(why))) => {
                stop(ExitReason::ended(why))
            }
            (FramedAt::Open(_), Event::Slow) => {
                stop(ExitReason::ended("no whole frame came within 10s"))
            }
            (_, Event::Link(LinkEvent::Room)) => keep(),
            (_, Event::Leave) => stop(ExitReason::Shutdown),
            (_, event) => unexpected(event),
        }
    }
}

/// A reason that panics when it is shown.
#[derive(Debug)]
struct Unshowable;

impl fmt::Display for Unshowable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("it cannot be shown")
    }
}

impl std::error::Error for Unshowable {}

fn server(door: &Door) -> ServerBuilder {
    let marks = Marks::default();
    Server::builder(door.listener(), move |accepted: Accepted| {
        Builder::<Framed>::new().build(New { io: accepted.io }, marks.clone())
    })
}

async fn send(client: &mut Client, bytes: &[u8]) {
    client.0.write_all(bytes).await.expect("it is there");
}

async fn is_served(client: &mut Client) -> bool {
    let asked = client.0.write_all(b"\0\0\0\x05hello").await;
    let mut answer = [0; 9];
    let answered = tokio::time::timeout(ms(1), client.0.read_exact(&mut answer)).await;
    asked.is_ok() && matches!(answered, Ok(Ok(_))) && &answer == b"\0\0\0\x05hello"
}

/// What the log has for people who do not look for a mistake.
fn said(log: &Log) -> Vec<String> {
    let kept = log.take().into_iter();
    kept.filter(|(level, _)| *level <= Level::INFO)
        .map(|(level, text)| format!("{level} {text}"))
        .collect()
}

/// A peer that sends this, and what is told of it.
const BAD: [(&[u8], &str); 3] = [
    // HTTP, whose first four bytes are a length of a gigabyte.
    (
        b"GET / HTTP/1.1\r\n\r\n",
        "it ended: the peer sent what is not a frame: frame size too big",
    ),
    (
        b"\xff\xff\xff\xff",
        "it ended: the peer sent what is not a frame: frame size too big",
    ),
    (
        b"\0\0\x10\x01",
        "it ended: the peer sent what is not a frame: frame size too big",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_flood_of_bad_frames_is_two_lines_and_harms_nobody() {
    let (log, _guard) = listen();
    let door = Door::default();
    let server = server(&door).start();
    let mut other = door.knock();
    assert!(is_served(&mut other).await);
    for nth in 0..1000 {
        let mut client = door.knock();
        let (bytes, why) = BAD[nth % BAD.len()];
        send(&mut client, bytes).await;
        assert_eq!(client.hear().await, None);
        if nth == 0 {
            rest().await;
            let line = format!(
                "WARN message=a connection was given up connection=2 peer=None why=\"{why}\""
            );
            assert_eq!(said(&log), [line]);
        }
        if nth % 100 == 0 {
            assert!(is_served(&mut other).await);
        }
    }
    assert!(is_served(&mut other).await);
    assert_eq!(said(&log), Vec::<String>::new());
    assert_eq!(server.counts().ended, 1000);

    // It is told again, once, how many more there were; and then the next one at once.
    let mut other = quiet(&door, other).await;
    let more =
        "WARN message=more connections were given up; each is a line at level DEBUG more=999";
    assert_eq!(said(&log), [more]);
    other = quiet(&door, other).await;
    assert_eq!(said(&log), Vec::<String>::new());
    for _ in 0..2 {
        send(&mut door.knock(), b"\xff\xff\xff\xff").await;
        rest().await;
    }
    assert!(matches!(&said(&log)[..], [line] if line.contains("connection=1002 ")));
    // What is left to tell is told at the end.
    drop(other);
    server.shutdown(ms(1)).await;
    let lines = said(&log);
    assert!(
        matches!(&lines[..], [line] if line.ends_with("more=1")),
        "{lines:?}"
    );
    balanced(&server).await;
}

/// Lets a minute pass, in which this client sends whole frames.
async fn quiet(door: &Door, mut client: Client) -> Client {
    for _ in 0..10 {
        assert!(is_served(&mut client).await, "{}", door.waiting());
        tokio::time::sleep(QUIET / 10).await;
    }
    client
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_byte_from_time_to_time_and_never_a_whole_frame_is_given_up() {
    let (log, _guard) = listen();
    let door = Door::default();
    // The silence of a peer that says something now and then is too short for an idle timeout.
    let server = server(&door).idle_timeout(Duration::from_secs(5)).start();
    let mut other = door.knock();
    assert!(is_served(&mut other).await);
    let mut slow: Vec<_> = (0..200).map(|_| door.knock()).collect();
    for client in &mut slow {
        send(client, b"\0\0\0\x40").await;
    }
    let began = now();
    rest().await;
    for second in 1..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for client in &mut slow {
            send(client, b"x").await;
        }
        assert!(is_served(&mut other).await);
        rest().await;
        assert_eq!(server.counts().open(), 201, "after {second} s");
    }
    for client in &mut slow {
        assert_eq!(client.hear().await, None);
    }
    assert_eq!((now() - began).as_secs(), 10);
    rest().await;
    let lines = said(&log);
    let why = "why=\"it ended: no whole frame came within 10s\"";
    assert!(
        matches!(&lines[..], [line] if line.ends_with(why)),
        "{lines:?}"
    );
    assert!(is_served(&mut other).await);
    assert_eq!(server.counts().open(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_given_up() {
    let (log, _guard) = listen();
    let door = Door::default();
    let server = server(&door).start();
    let mut other = door.knock();
    let mut deaf = door.knock();
    send(&mut deaf, b"\0\0\0\x04pour").await;
    for _ in 0..4 {
        assert!(is_served(&mut other).await);
        assert_eq!(server.counts().open(), 2);
        tokio::time::sleep(ms(1_300)).await;
    }
    assert!(is_served(&mut other).await);
    assert_eq!(server.counts().open(), 1);
    let lines = said(&log);
    let why = "why=\"it ended: the peer accepted no byte for 5s\"";
    assert!(
        matches!(&lines[..], [line] if line.ends_with(why)),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_networks_do_every_day_is_not_told() {
    let (log, _guard) = listen();
    let door = Door::default();
    let server = server(&door).idle_timeout(Duration::from_secs(4)).start();
    // One leaves, one is cut off within a frame, one says nothing.
    for bytes in [&b""[..], b"\0\0\0\x05hel", b""] {
        let mut client = door.knock();
        assert!(is_served(&mut client).await);
        send(&mut client, bytes).await;
        if bytes.is_empty() {
            tokio::time::sleep(Duration::from_secs(8)).await;
        }
    }
    rest().await;
    assert_eq!(balanced(&server).await.ended, 3);
    server.shutdown(ms(1)).await;
    assert_eq!(said(&log), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_panics_when_it_is_shown_harms_nobody() {
    let (log, _guard) = listen();
    let door = Door::default();
    let server = server(&door).start();
    let mut client = door.knock();
    send(&mut client, b"\0\0\0\x0aunshowable").await;
    assert_eq!(client.hear().await, None);
    assert!(is_served(&mut door.knock()).await);
    let lines = said(&log);
    let why = "why=\"its reason panicked when it was to be shown\"";
    assert!(lines.iter().any(|line| line.ends_with(why)), "{lines:?}");
    rest().await;
    assert_eq!(balanced(&server).await.ended, 2);
}

/// Bytes that live for each of so many connections whose peers have sent this and go on to wait.
fn bytes_each(connections: u16, sent: &[u8]) -> i64 {
    let mut kept = None;
    let measured = measure(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let clients = runtime.block_on(async {
            let door = Door::default();
            let server = server(&door).start();
            let mut clients = Vec::new();
            for _ in 0..connections {
                let mut client = door.knock();
                send(&mut client, sent).await;
                rest().await;
                clients.push(client);
            }
            assert_eq!(server.counts().open(), u64::from(connections));
            (server, clients)
        });
        kept = Some((runtime, clients));
    });
    drop(kept);
    measured.bytes_current / i64::from(connections)
}

#[test]
fn a_connection_costs_no_more_than_its_frame_whatever_its_peer_announces() {
    let pipe = measure(|| std::mem::forget(duplex(64 * 1024))).bytes_current;
    let silent = bytes_each(200, b"") - pipe;
    let mut most = vec![0, 0, 0x10, 0];
    let announced = bytes_each(200, &most) - pipe;
    most.resize(FRAME, 1);
    let almost = bytes_each(200, &most) - pipe;
    let deaf = bytes_each(50, b"\0\0\0\x04pour") - pipe;
    println!(
        "a connection: silent {silent}, announced {announced}, almost a frame {almost}, deaf {deaf} bytes"
    );
    assert!(silent > 500, "{silent} bytes cannot be all");
    // The frame, and what its buffer is larger than it.
    let bound = 3 * i64::try_from(FRAME).expect("it is small");
    assert!(announced <= silent + bound, "{announced}");
    assert!(almost <= silent + bound, "{almost}");
    // What is in the pipe, and a write buffer that is full.
    let bound = 4 * 64 * 1024;
    assert!(deaf <= silent + bound, "{deaf}");
}
