//! What the rows stand on, checked.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::caller::Rig;
use crate::support::count::{no_socket_is_left, no_task_is_left, sockets};
use crate::support::namespaces::{self, Far};
use crate::support::relay::{Fault, HangingPort, RefusingPort, Relay};
use crate::support::row::{self, tell};
use crate::support::server::{Conduct, Server};
use crate::support::time::{millis, now, until, within};

/// A server behind a relay, and a connection through it.
async fn through_a_relay(rig: &Rig) -> (Server, Relay, TcpStream) {
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    let socket = TcpStream::connect(relay.address).await.unwrap();
    until("the relay has accepted", || relay.accepted() == 1).await;
    (server, relay, socket)
}

async fn exchange(socket: &mut TcpStream, key: u64) -> io::Result<String> {
    socket.write_all(format!("{key}\n").as_bytes()).await?;
    let mut answer = vec![0; key.to_string().len() + 2];
    socket.read_exact(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}

/// Nothing comes for a while: real time has to pass to see that.
async fn is_silent(socket: &mut TcpStream) -> bool {
    timeout(millis(100), socket.read(&mut [0])).await.is_err()
}

#[tokio::test]
async fn the_relay_passes_holds_and_lets_go() {
    let rig = Rig::default();
    let (_server, relay, mut socket) = through_a_relay(&rig).await;
    assert_eq!(exchange(&mut socket, 1).await.unwrap(), "=1");
    relay.fault(Fault::Hold);
    socket.write_all(b"2\n").await.unwrap();
    until("the request has passed", || rig.ledger.was_executed(2)).await;
    assert!(is_silent(&mut socket).await);
    relay.fault(Fault::Silence);
    socket.write_all(b"3\n").await.unwrap();
    assert!(is_silent(&mut socket).await && !rig.ledger.was_executed(3));
    relay.fault(Fault::None);
    let mut answers = [0; 6];
    within(
        millis(5_000),
        "both answers",
        socket.read_exact(&mut answers),
    )
    .await
    .unwrap();
    assert_eq!(&answers, b"=2\n=3\n");
    rig.tasks.end().await;
}

#[tokio::test]
async fn the_relay_black_holes_what_there_is_and_nothing_else() {
    let rig = Rig::default();
    let (_server, relay, mut socket) = through_a_relay(&rig).await;
    assert_eq!(exchange(&mut socket, 1).await.unwrap(), "=1");
    relay.black_hole_existing();
    socket.write_all(b"2\n").await.unwrap();
    assert!(is_silent(&mut socket).await && !rig.ledger.was_executed(2));
    let mut other = TcpStream::connect(relay.address).await.unwrap();
    assert_eq!(exchange(&mut other, 3).await.unwrap(), "=3");
    rig.tasks.end().await;
}

#[tokio::test]
async fn the_relay_resets_flaps_and_truncates() {
    let rig = Rig::default();
    let (server, relay, mut socket) = through_a_relay(&rig).await;
    relay.reset();
    let error = within(millis(5_000), "a reset", socket.read(&mut [0]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    relay.fault(Fault::Flap);
    let mut socket = TcpStream::connect(relay.address).await.unwrap();
    let error = within(millis(5_000), "a reset", socket.read(&mut [0]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    relay.fault(Fault::FlapAfter(millis(30)));
    let began = now();
    let mut socket = TcpStream::connect(relay.address).await.unwrap();
    within(millis(5_000), "a reset", socket.read(&mut [0]))
        .await
        .unwrap_err();
    assert!(began.elapsed() >= millis(30));

    relay.fault(Fault::Truncate(4));
    let mut socket = TcpStream::connect(relay.address).await.unwrap();
    socket.write_all(b"17\n18\n").await.unwrap();
    let mut all = Vec::new();
    within(millis(5_000), "an end", socket.read_to_end(&mut all))
        .await
        .unwrap();
    assert_eq!(all, b"=17\n");
    drop(socket);
    until("the relay has let go of all", || relay.live() == 0).await;
    assert_eq!(relay.accepted(), 4);
    assert_eq!(server.accepted(), 3);
    rig.tasks.end().await;
}

#[tokio::test]
async fn the_relay_corrupts_delays_and_narrows() {
    let rig = Rig::default();
    let (_server, relay, mut socket) = through_a_relay(&rig).await;
    relay.fault(Fault::Corrupt);
    socket.write_all(b"1\n").await.unwrap();
    let mut answer = [0; 3];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0xff, 0xff, b'\n']);
    relay.fault(Fault::Delay(millis(40)));
    let began = now();
    assert_eq!(exchange(&mut socket, 2).await.unwrap(), "=2");
    assert!(began.elapsed() >= millis(40));
    relay.fault(Fault::Bandwidth(100));
    let began = now();
    assert_eq!(exchange(&mut socket, 3_000_000).await.unwrap(), "=3000000");
    assert!(began.elapsed() >= millis(90), "nine bytes at 100 a second");
    rig.tasks.end().await;
}

#[tokio::test]
async fn the_ports_hang_and_refuse() {
    let hanging = HangingPort::new().await;
    let attempt = TcpStream::connect(hanging.address);
    assert!(
        timeout(millis(300), attempt).await.is_err(),
        "nobody answers"
    );
    let refusing = RefusingPort::new();
    let address = refusing.address;
    let error = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let _listener = refusing.listen();
    TcpStream::connect(address).await.unwrap();
}

#[tokio::test]
async fn sockets_and_tasks_are_counted() {
    let rig = Rig::default();
    let address = rig.server(Conduct::default()).listen(&rig.tasks).await;
    // The listener.
    assert_eq!(sockets(address.port()), 1);
    let socket = TcpStream::connect(address).await.unwrap();
    until("both ends are there", || sockets(address.port()) == 3).await;
    drop(socket);
    until("both ends are gone", || sockets(address.port()) == 1).await;
    assert!(
        timeout(millis(50), no_task_is_left()).await.is_err(),
        "the server is a task"
    );
    rig.tasks.end().await;
    no_task_is_left().await;
    no_socket_is_left(address.port()).await;
}

#[test]
fn in_namespaces_packets_vanish_from_a_connection_and_new_ones_work() {
    let rig = Rig::default();
    let ran = namespaces::run(rig.server(Conduct::default()), |far| async move {
        let mut socket = TcpStream::connect(Far::ADDRESS).await.unwrap();
        assert_eq!(exchange(&mut socket, 1).await.unwrap(), "=1");
        far.black_hole_existing().await;
        socket.write_all(b"2\n").await.unwrap();
        assert!(is_silent(&mut socket).await);
        let mut other = TcpStream::connect(Far::ADDRESS).await.unwrap();
        assert_eq!(exchange(&mut other, 3).await.unwrap(), "=3");
    });
    match ran {
        Ok(()) => assert!(!rig.ledger.was_executed(2), "it has vanished"),
        Err(why) => tell("namespaces", format!("none here, loopback decides: {why}")),
    }
}

#[test]
fn the_table_has_every_row_and_no_other() {
    let lines = row::lines();
    let rows: Vec<_> = lines.keys().cloned().collect();
    let all: Vec<_> = (1..=44).map(|row| format!("F{row:02}")).collect();
    assert_eq!(rows, all);
    let text = std::fs::read_to_string(row::path()).unwrap();
    assert!(
        text == row::page(&lines),
        "the guide is not as the rows write it"
    );
}

#[tokio::test(start_paused = true)]
async fn the_server_answers_late_in_order_and_only_when_it_may() {
    let rig = Rig::default();
    let server = rig.server(Conduct {
        delay: millis(20),
        ..Conduct::default()
    });
    let (mut near, far) = tokio::io::duplex(1024);
    rig.tasks.spawn(server.clone().serve(far));
    let began = now();
    near.write_all(b"1\n2 xxxx\nping\nhello\n").await.unwrap();
    let mut answers = [0; 19];
    near.read_exact(&mut answers).await.unwrap();
    assert_eq!(&answers, b"=1\n=2\n=ping\n+hello\n");
    assert_eq!(began.elapsed(), millis(20));
    server.answers(false);
    near.write_all(b"3\n").await.unwrap();
    assert!(
        timeout(Duration::from_secs(60), near.read(&mut [0]))
            .await
            .is_err()
    );
    assert_eq!(rig.ledger.order(), [1, 2, 3]);
    rig.tasks.end().await;
}
