//! Over real sockets: a flood, and what is left of it.

use std::io;
use std::time::Duration;

use statem::net::{Accepted, AtLimit, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::log::somebody_listens;
use crate::support::{Marks, balanced, echo, hear, ms};

async fn started(marks: &Marks, limit: usize, policy: AtLimit) -> (Server, u16) {
    somebody_listens();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it has an address").port();
    let marks = marks.clone();
    let server = Server::builder(listener, move |accepted: Accepted| {
        assert!(accepted.peer.is_some());
        echo(&marks, accepted.io)
    });
    (server.limit(limit).at_limit(policy).start(), port)
}

async fn dialled(port: u16) -> TcpStream {
    let dialled = TcpStream::connect(("127.0.0.1", port)).await;
    dialled.expect("it listens")
}

async fn ask(client: &mut TcpStream) -> Option<String> {
    let asked = client.write_all(b"hello\n").await;
    asked.ok()?;
    hear(client).await
}

/// Sockets of this process with that port at their own end, as the system has it. One that the
/// process has closed has no inode any more.
#[cfg(target_os = "linux")]
pub(crate) fn sockets(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("Linux has it");
    let end = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|row| row.split_whitespace());
    let own = rows.filter(|row| {
        let row: Vec<_> = row.clone().collect();
        row[1].ends_with(&end) && row[9] != "0"
    });
    own.count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn after_a_shutdown_no_socket_is_left() {
    for policy in [AtLimit::Wait, AtLimit::Refuse] {
        let (server, port) = started(&Marks::default(), 10, policy).await;
        let mut clients = Vec::new();
        for _ in 0..8 {
            let mut client = dialled(port).await;
            assert_eq!(ask(&mut client).await.as_deref(), Some("hello"));
            clients.push(client);
        }
        assert_eq!(sockets(port), 9, "the search finds them");
        server.shutdown(Duration::from_secs(5)).await;
        assert_eq!(sockets(port), 0);
        let refused = TcpStream::connect(("127.0.0.1", port)).await;
        let error = refused.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(balanced(&server).await.ended, 8);
    }
}

#[tokio::test]
async fn a_flood_is_refused_and_harms_nobody_who_is_there() {
    const LIMIT: usize = 50;
    let marks = Marks::default();
    let (server, port) = started(&marks, LIMIT, AtLimit::Refuse).await;
    let mut there = dialled(port).await;
    assert_eq!(ask(&mut there).await.as_deref(), Some("hello"));
    let (mut held, mut refused) = (Vec::new(), 0);
    for count in 0..2000 {
        let mut client = dialled(port).await;
        if held.len() + 1 < LIMIT {
            assert_eq!(ask(&mut client).await.as_deref(), Some("hello"));
            held.push(client);
        } else {
            // An end, or a reset.
            let read = client.read(&mut [0; 1]).await;
            assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
            refused += 1;
        }
        if count % 100 == 0 {
            assert_eq!(ask(&mut there).await.as_deref(), Some("hello"));
        }
    }
    let counts = server.counts();
    assert_eq!((counts.refused, counts.open()), (refused, LIMIT as u64));
    // One is the closure's.
    assert_eq!(marks.alive(), LIMIT + 1);
    drop(held);
    server.shutdown(Duration::from_secs(5)).await;
    balanced(&server).await;
}

#[tokio::test]
async fn a_flood_that_waits_is_served_in_the_end() {
    let marks = Marks::default();
    let (server, port) = started(&marks, 10, AtLimit::Wait).await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..200 {
        clients.spawn(async move {
            let mut client = dialled(port).await;
            ask(&mut client).await
        });
    }
    while let Some(answer) = clients.join_next().await {
        assert_eq!(answer.expect("no panic").as_deref(), Some("hello"));
    }
    let most = marks.most.load(std::sync::atomic::Ordering::Relaxed);
    assert!(most <= 10 + 1, "{most}");
    server.shutdown(ms(500)).await;
    assert_eq!(balanced(&server).await.started, 200);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served_like_any_other() {
    somebody_listens();
    let path = std::env::temp_dir().join(format!("statem-server-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path).expect("a path");
    let marks = Marks::default();
    let server = Server::builder(listener, move |accepted: Accepted| {
        assert_eq!(accepted.peer, None);
        echo(&marks, accepted.io)
    });
    let server = server.start();
    let mut client = tokio::net::UnixStream::connect(&path)
        .await
        .expect("it listens");
    client.write_all(b"hello\n").await.expect("it is there");
    assert_eq!(hear(&mut client).await.as_deref(), Some("hello"));
    server.shutdown(ms(500)).await;
    std::fs::remove_file(&path).expect("it is the user's to remove");
}

/// As many descriptors as a program may have, in the run of this program that has so few.
#[cfg(target_os = "linux")]
const FEW: &str = "STATEM_TEST_HAS_FEW_DESCRIPTORS";

/// Has this program run again with a limit of its own, for the limit is that of a whole process.
#[cfg(target_os = "linux")]
#[test]
fn a_process_without_descriptors_serves_those_who_are_there_and_accepts_again() {
    let name = "loopback::with_few_descriptors";
    let program = std::env::current_exe().expect("it runs");
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\""])
        .arg(program)
        .args([name, "--exact", "--ignored", "--nocapture"])
        .env(FEW, "40")
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");
    assert!(said.contains("1 passed"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by `a_process_without_descriptors_serves_those_who_are_there_and_accepts_again`"]
async fn with_few_descriptors() {
    let limit: usize = std::env::var(FEW)
        .expect("it is not run by itself")
        .parse()
        .expect("a number");
    let (server, port) = started(&Marks::default(), 1000, AtLimit::Wait).await;
    let mut there = dialled(port).await;
    assert_eq!(ask(&mut there).await.as_deref(), Some("hello"));
    // Every connection takes two of them: both ends are in this process.
    let mut clients = Vec::new();
    while let Ok(client) = TcpStream::connect(("127.0.0.1", port)).await {
        clients.push(client);
        assert!(clients.len() < limit);
    }
    // The last one that was let in, and that the server has no descriptor for, waits.
    let before = server.counts().accept_errors;
    for _ in 0..20 {
        tokio::time::sleep(ms(100)).await;
        assert_eq!(ask(&mut there).await.as_deref(), Some("hello"));
    }
    let errors = server.counts().accept_errors;
    assert!(errors > 0, "there were descriptors");
    assert!(errors - before <= 40, "{errors} in two seconds");
    // The clients leave, and whoever comes is served, at the longest delay later.
    drop(clients);
    let again = async {
        let mut client = dialled(port).await;
        assert_eq!(ask(&mut client).await.as_deref(), Some("hello"));
    };
    let again = tokio::time::timeout(Duration::from_secs(10), again).await;
    again.expect("it is accepted again");
    server.shutdown(ms(500)).await;
    balanced(&server).await;
}
