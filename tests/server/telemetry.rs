//! What the log hears.

use std::io::ErrorKind;

use statem::net::AtLimit;
use tokio::io::AsyncReadExt;
use tracing::Level;

use crate::handshake::pair;
use crate::log::{Log, listen};
use crate::support::{Door, Marks, ms, rest, server};

/// What was logged for people who do not look for a mistake.
fn take_lines(log: &Log) -> Vec<String> {
    let kept = log.take().into_iter();
    kept.filter(|(level, _)| *level <= Level::INFO)
        .map(|(level, text)| format!("{level} {text}"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_connection_is_opened_and_closed_once_with_its_bytes_and_a_reason() {
    let (log, _guard) = listen();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert_eq!(client.ask("hello").await.as_deref(), Some("hello"));
    assert_eq!(client.ask("panic").await, None);
    let mut client = door.knock();
    assert_eq!(client.ask("bye").await, None);
    rest().await;
    // But for the crash report of the machine itself.
    let kept = log.take().into_iter();
    let lines: Vec<_> = kept
        .filter(|(level, _)| *level != Level::ERROR)
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        lines,
        [
            "message=accepted connection=1 peer=None",
            "message=closed connection=1 peer=None received=12 sent=6 \
             why=it panicked in handle, in state `Open`: it was told to",
            "message=accepted connection=2 peer=None",
            "message=closed connection=2 peer=None received=4 sent=0 why=it ended normally",
        ]
    );
    server.shutdown(ms(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_two_lines() {
    let (log, _guard) = listen();
    let (door, marks) = (Door::default(), Marks::default());
    let builder = server(&door, &marks).limit(16).at_limit(AtLimit::Refuse);
    let server = builder.start();
    let mut clients: Vec<_> = (0..16).map(|_| door.knock()).collect();
    for client in &mut clients {
        assert!(client.is_served().await);
    }
    assert_eq!(take_lines(&log), Vec::<String>::new());
    for _ in 0..500 {
        assert_eq!(door.knock().hear().await, None);
    }
    // One comes and goes at the limit.
    clients.pop();
    rest().await;
    assert!(door.knock().is_served().await);
    rest().await;
    let full = "WARN message=as many connections are open as may be limit=16 policy=Refuse";
    assert_eq!(take_lines(&log), [full]);
    clients.pop();
    rest().await;
    let room = "INFO message=there is room for connections again refused=500";
    assert_eq!(take_lines(&log), [room]);
    drop(clients);
    rest().await;
    server.shutdown(ms(1)).await;
    assert_eq!(take_lines(&log), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_peers_without_tls_is_two_lines() {
    let (log, _guard) = listen();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).tls(pair().0).start();
    for _ in 0..100 {
        let mut client = door.knock();
        client.say("GET / HTTP/1.1").await;
        while let Ok(1..) = client.0.read(&mut [0; 64]).await {}
    }
    rest().await;
    let lines = take_lines(&log);
    let [first] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(
        first.starts_with(
            "WARN message=a connection was given up connection=1 peer=None why=\"TLS failed: "
        ),
        "{first}"
    );
    tokio::time::sleep(ms(60_000)).await;
    let more = "WARN message=more connections were given up; each is a line at level DEBUG more=99";
    assert_eq!(take_lines(&log), [more]);
    assert_eq!(server.counts().unsecured, 100);
}

#[tokio::test(start_paused = true)]
async fn a_time_without_descriptors_is_two_lines() {
    let (log, _guard) = listen();
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).start();
    door.fail(Some(ErrorKind::OutOfMemory));
    tokio::time::sleep(ms(60_000)).await;
    let failed = "WARN message=no connection can be accepted: trying again until one can \
                  error=out of memory";
    assert_eq!(take_lines(&log), [failed]);
    door.fail(None);
    tokio::time::sleep(ms(1000)).await;
    assert!(door.knock().is_served().await);
    let lines = take_lines(&log);
    let [again] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(again.starts_with("INFO message=connections are accepted again failures="));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_how_many_it_waits_for() {
    let (log, _guard) = listen();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    tokio::join!(server.shutdown(ms(500)), server.shutdown(ms(1)));
    let line = "INFO message=the server ends when its connections have open=1 within=500ms";
    assert_eq!(take_lines(&log), [line]);
}
