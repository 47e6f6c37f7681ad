//! A link over TLS: how it ends, as a machine sees it (F08).

use std::time::Duration;

use statem::net::{
    Client, CloseReason, Connector, Io, Lines, Link, LinkConfig, LinkEvent, Protocol, Received,
};
use statem::{Cx, Handler, Next, Reply, StateMachine, keep, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::codec::LinesCodec;

use crate::tls::{listener, pair, secured};

/// Reads a stream to its end. Its data is who wants to know.
#[derive(StateMachine)]
#[machine(event = Event, data = Option<Reply<(Vec<String>, CloseReason)>>)]
enum Reader {
    #[initial]
    #[to(Reading)]
    Idle,
    #[to(Idle)]
    Reading(Reading),
}

struct Reading {
    _link: Link<LinesCodec>,
    lines: Vec<String>,
}

enum Event {
    Read(Box<dyn Io>, Reply<(Vec<String>, CloseReason)>),
    Link(LinkEvent<String>),
}

impl Handler for Reader {
    fn handle(
        state: ReaderAt<'_>,
        event: Event,
        caller: &mut Option<Reply<(Vec<String>, CloseReason)>>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (ReaderAt::Idle(s), Event::Read(io, reply)) => {
                *caller = Some(reply);
                s.go(Reading {
                    _link: Link::open(io, LinesCodec::new(), cx, Event::Link),
                    lines: Vec::new(),
                })
            }
            (ReaderAt::Reading(mut s), Event::Link(LinkEvent::Frame(line))) => {
                s.lines.push(line);
                keep()
            }
            (ReaderAt::Reading(mut s), Event::Link(LinkEvent::Closed(why))) => {
                let lines = std::mem::take(&mut s.lines);
                if let Some(caller) = caller.take() {
                    let _ = caller.send((lines, why));
                }
                s.go(Idle)
            }
            (_, event) => statem::unexpected(event),
        }
    }
}

/// What a machine reads of a peer that writes this and ends in this way.
async fn read(bytes: &[u8], says_goodbye: bool) -> (Vec<String>, CloseReason) {
    let (listener, address) = listener().await;
    let (near, mut far) = secured(address, &listener).await;
    far.write_all(bytes).await.expect("it is written");
    far.flush().await.expect("it is written");
    if says_goodbye {
        far.shutdown().await.expect("it says goodbye");
    } else {
        // The socket's end alone; the stream of TLS says nothing when it is dropped.
        drop(far);
    }
    let reader = spawn::<Reader>(Idle, None);
    let read = reader.call(|reply| Event::Read(near, reply)).await;
    read.expect("the machine answers")
}

#[tokio::test]
async fn f08_a_link_over_tls_tells_an_end_from_one_that_anybody_could_have_made() {
    let (lines, why) = read(b"one\ntwo\n", true).await;
    assert_eq!(lines, ["one", "two"]);
    assert!(matches!(why, CloseReason::End), "{why}");

    let (lines, why) = read(b"one\ntwo\n", false).await;
    assert_eq!(lines, ["one", "two"]);
    match why {
        CloseReason::Read(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
        other => panic!("{other}"),
    }
}

/// Writes sixty thousand bytes as one message. Its data is who wants to know how that ends.
#[derive(StateMachine)]
#[machine(event = Talk, data = Option<Reply<CloseReason>>)]
enum Talker {
    #[initial]
    #[to(Talking)]
    Silent,
    #[to(Silent)]
    Talking(Talking),
}

struct Talking {
    _link: Link<LinesCodec>,
}

enum Talk {
    Begin(Box<dyn Io>, Reply<CloseReason>),
    Link(LinkEvent<String>),
}

impl Handler for Talker {
    fn handle(
        state: TalkerAt<'_>,
        event: Talk,
        caller: &mut Option<Reply<CloseReason>>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (TalkerAt::Silent(s), Talk::Begin(io, reply)) => {
                *caller = Some(reply);
                let config = LinkConfig::default().write_timeout(10 * SECOND);
                let mut link = Link::open_with(config, io, LinesCodec::new(), cx, Talk::Link);
                link.send("x".repeat(59_999)).expect("there is room");
                s.go(Talking { _link: link })
            }
            (TalkerAt::Talking(s), Talk::Link(LinkEvent::Closed(why))) => {
                if let Some(caller) = caller.take() {
                    let _ = caller.send(why);
                }
                s.go(Silent)
            }
            (_, event) => match event {
                Talk::Link(_) => keep(),
                event @ Talk::Begin(..) => statem::unexpected(event),
            },
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// How a message to a peer ends that reads 4 KiB each second, up to `most` bytes, and how many it has
/// read.
async fn read_slowly(most: usize) -> (usize, CloseReason) {
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let (near, far) = tokio::io::duplex(4096);
    let (near, far) = tokio::join!(tls.connect(near, "127.0.0.1"), acceptor.accept(far));
    let (near, mut far) = (near.expect("it connects"), far.expect("the two agree"));
    let peer = async move {
        let (mut all, mut bytes) = (0, [0; 4096]);
        while all < most {
            tokio::time::sleep(SECOND).await;
            match far.read(&mut bytes).await {
                Ok(0) | Err(_) => break,
                Ok(count) => all += count,
            }
        }
        if all < 60_000 {
            tokio::time::sleep(60 * SECOND).await;
        }
        all
    };
    let talker = spawn::<Talker>(Silent, None);
    let call = talker.call(|reply| Talk::Begin(near, reply));
    let (read, why) = tokio::join!(peer, call.limit(600 * SECOND));
    (read, why.expect("the machine answers"))
}

#[tokio::test(start_paused = true)]
async fn f24_a_peer_that_reads_slowly_over_tls_is_one_that_reads() {
    let (read, why) = read_slowly(60_000).await;
    assert_eq!(read, 60_000, "{why}");
}

#[tokio::test(start_paused = true)]
async fn f24_a_peer_that_reads_no_more_over_tls_is_left() {
    let (read, why) = read_slowly(20_000).await;
    assert!(read >= 20_000, "{read}");
    assert!(matches!(why, CloseReason::WriteTimeout { .. }), "{why}");
}

struct Echo;

impl Protocol for Echo {
    type Codec = Lines;
    type Request = String;
    type Response = String;

    fn codec(&self) -> Lines {
        Lines::new(1024)
    }

    fn receive(&mut self, line: String, _: &mut Vec<String>) -> Received<String> {
        Received::Answer(line)
    }
}

#[tokio::test]
async fn a_connection_that_is_replaced_says_goodbye_to_tls() {
    let (listener, address) = listener().await;
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let client = Client::start(Echo, Connector::new(address).tls(tls));
    let (plain, _) = listener.accept().await.expect("a connection");
    let mut first = acceptor.accept(plain).await.expect("the two agree");
    client.ready().await.expect("it connects");
    client.reconnect_now().await;
    let (plain, _) = listener.accept().await.expect("a connection");
    let _second = acceptor.accept(plain).await.expect("the two agree");
    // Without a goodbye it is an error: anybody could have made that end.
    let read = first.read(&mut [0; 8]).await;
    assert_eq!(read.expect("it says goodbye"), 0);
}
