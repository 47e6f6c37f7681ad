//! On real sockets and a real runtime.

use std::time::Duration;

use statem::net::{Link, LinkConfig};
use statem::{Handle, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::LinesCodec;

use crate::owner::{self, Owner, Ready, World, deed};
use crate::support::{Apart, Event, Notes, Talk};

/// Long enough for anything that happens at all.
const LONG: Duration = Duration::from_secs(20);

/// A machine on a socket, and the socket's other end.
async fn connected(notes: Notes) -> (Handle<Talk>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    let talk = spawn::<Talk>(Apart, notes);
    let near = Box::new(near.expect("the listener accepts"));
    talk.cast(Event::Open(near))
        .await
        .expect("the machine runs");
    (talk, far.expect("a connection").0)
}

async fn log(talk: &Handle<Talk>) -> Vec<String> {
    talk.call(Event::Log).await.expect("the machine answers")
}

/// Waits until so much has happened.
async fn logged(talk: &Handle<Talk>, count: usize) -> Vec<String> {
    let wait = async {
        loop {
            let log = log(talk).await;
            if log.len() >= count {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, wait).await.expect("it happens")
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_come_and_go_in_order() {
    let (talk, mut far) = connected(Notes {
        echoes: true,
        ..Notes::default()
    })
    .await;
    let count = 2000;
    let text = numbers(count).join("\n") + "\n";
    far.write_all(text.as_bytes())
        .await
        .expect("the machine reads");
    let mut back = vec![0; text.len()];
    timeout(LONG, far.read_exact(&mut back))
        .await
        .expect("the machine writes")
        .expect("all of it");
    assert_eq!(back, text.as_bytes());
    drop(far);
    let log = logged(&talk, count + 1).await;
    assert_eq!(log[..count], numbers(count));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n83_leaving_the_state_closes_the_socket() {
    let (talk, mut far) = connected(Notes::default()).await;
    talk.cast(Event::Leave).await.expect("the machine runs");
    let mut rest = Vec::new();
    timeout(LONG, far.read_to_end(&mut rest))
        .await
        .expect("the end comes")
        .expect("it is an orderly one");
    assert!(rest.is_empty());
    assert!(log(&talk).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n40_the_peer_of_a_machine_that_postpones_frames_cannot_send_without_end() {
    let (talk, mut far) = connected(Notes {
        holds: true,
        ..Notes::default()
    })
    .await;
    let line = format!("{}\n", "x".repeat(64 * 1024 - 1));
    let mut sent = 0;
    // It stalls when the credits and the buffers of both kernels are used up.
    while let Ok(written) =
        timeout(Duration::from_millis(500), far.write_all(line.as_bytes())).await
    {
        written.expect("the machine is there");
        sent += 1;
        assert!(
            sent < 1000,
            "64 MB were taken from a peer whose frames nobody handles"
        );
    }
    let seen = talk.inspect().await.expect("the machine answers");
    assert_eq!(seen.waiting.postponed, 32);
    talk.cast(Event::Release).await.expect("the machine runs");
    assert_eq!(logged(&talk, sent).await[0].len(), 64 * 1024 - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_holds_its_frames_can_still_write() {
    let mut notes = Notes {
        holds: true,
        ..Notes::default()
    };
    notes.config = notes.config.credits(1).high_water(usize::MAX);
    let (talk, mut far) = connected(notes).await;
    far.write_all(b"f1\nf2\n").await.expect("the machine reads");
    let wait = async {
        while talk
            .inspect()
            .await
            .expect("the machine answers")
            .waiting
            .postponed
            == 0
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, wait).await.expect("the credit is used");
    // More than the kernels take at once: the rest waits for the socket, not for a credit.
    let line = "x".repeat(1024 * 1024);
    let lines = 32;
    talk.cast(Event::Send(vec![line.clone(); lines]))
        .await
        .expect("the machine runs");
    let mut rest = vec![0; (line.len() + 1) * lines];
    timeout(LONG, far.read_exact(&mut rest))
        .await
        .expect("all of it comes")
        .expect("the socket is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_resets_the_connection_ends_it_once() {
    let (talk, mut far) = connected(Notes::default()).await;
    talk.cast(Event::Send(vec!["x".into()]))
        .await
        .expect("the machine runs");
    // What comes after it can only be the reset.
    let mut line = [0; 2];
    timeout(LONG, far.read_exact(&mut line))
        .await
        .expect("the machine writes")
        .expect("the line");
    far.set_zero_linger().expect("the socket is open");
    drop(far);
    let log = logged(&talk, 2).await;
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(
        log[0].starts_with("x!") && log[1].starts_with("closed: "),
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goodbye_reaches_the_peer_before_the_end_of_the_stream() {
    let (owner, mut far) = {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let near = near.expect("the listener accepts");
        let owner = spawn::<Owner>(Ready, World::default());
        let open = deed(move |world, cx| {
            let config = LinkConfig::default().high_water(usize::MAX);
            world.lines = Some(Link::open_with(
                config,
                near,
                LinesCodec::new(),
                cx,
                owner::Event::Line,
            ));
            // More than the kernels take at once.
            world.send(&"x".repeat(16 * 1024 * 1024));
            world.link().close(LONG);
        });
        owner.cast(open).await.expect("the machine runs");
        (owner, far.expect("a connection").0)
    };
    far.write_all(b"still there\n")
        .await
        .expect("the machine reads");
    let mut rest = Vec::new();
    timeout(LONG, far.read_to_end(&mut rest))
        .await
        .expect("the end comes")
        .expect("it is an orderly one");
    assert_eq!(rest.len(), 16 * 1024 * 1024 + 1);
    // Our side is open: the machine waits for its end, and hears us until then.
    far.write_all(b"last\n").await.expect("the machine reads");
    drop(far);
    let (tell, told) = std::sync::mpsc::channel();
    let wait = async {
        loop {
            let tell = tell.clone();
            let look = deed(move |world, _| tell.send(world.log.clone()).expect("the test waits"));
            owner.cast(look).await.expect("the machine runs");
            tokio::time::sleep(Duration::from_millis(1)).await;
            if let Some(log) = told.try_iter().find(|log| log.len() >= 3) {
                return log;
            }
        }
    };
    let log = timeout(LONG, wait).await.expect("it happens");
    let end = "closed: the peer closed the connection";
    assert_eq!(log, ["line still there", "line last", end]);
}
