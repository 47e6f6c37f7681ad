//! The client of the example against a server that does everything wrong, a thousand times.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

use allocation_counter::measure;
use statem::Backoff;
use statem::net::{LinkConfig, RequestError, Unknown};
use statem_examples::redis_client::client::Redis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const GREETING: &[u8] = b"%1\r\n+proto\r\n:3\r\n";

/// What the server sends in place of an answer before it closes, and what the caller is told.
const BAD: [(&[u8], &str); 5] = [
    (b"\x16\x03\x01 this is not RESP\r\n", "no frame begins with"),
    (b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "nested"),
    (b"$100\r\nonly the beginning", "within a frame"),
    (b"", "closed the connection"),
    (&[b'+'; 2000], "more than 1000 bytes"),
];

/// Waits for the client to say something.
async fn hear(socket: &mut TcpStream) -> std::io::Result<()> {
    match socket.read(&mut [0; 1024]).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Serves one bad connection after another.
async fn bad_server(listener: TcpListener) {
    for (bytes, _) in BAD.iter().cycle() {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        // The client may close first; then there is nothing left to do wrong.
        let _ = async {
            hear(&mut socket).await?;
            socket.write_all(GREETING).await?;
            hear(&mut socket).await?;
            socket.write_all(bytes).await
        }
        .await;
    }
}

/// Makes this many requests, each of which meets a bad connection; adds what the caller is told.
async fn suffer(redis: &Redis, connections: usize, told: &mut BTreeSet<String>) {
    for _ in 0..connections {
        match redis.call(["GET", "key"]).await {
            Err(RequestError::Unknown(Unknown::Lost(lost)) | RequestError::Protocol(lost)) => {
                told.insert(lost.to_string());
            }
            other => panic!("the caller was told {other:?}"),
        }
    }
}

#[test]
fn a_thousand_bad_connections_leave_no_more_behind_than_a_hundred() {
    let mut told = BTreeSet::new();
    let mut kept: Option<(Runtime, Redis)> = None;
    // All on this thread, whose allocations are counted.
    let first = measure(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let redis = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port is free");
            let address = listener
                .local_addr()
                .expect("it has an address")
                .to_string();
            tokio::spawn(bad_server(listener));
            let location = format!("redis://{address}").parse().expect("it is a URL");
            let redis = Redis::start(&location, |client| {
                let backoff = Backoff::default().cap(Duration::from_millis(1));
                let link = LinkConfig::default().max_frame(1000);
                client.backoff(backoff).link(link)
            });
            let redis = redis.expect("it starts");
            suffer(&redis, 100, &mut told).await;
            redis
        });
        kept = Some((runtime, redis));
    });
    let (runtime, redis) = kept.as_ref().expect("it was kept");
    let rest = measure(|| runtime.block_on(suffer(redis, 900, &mut told)));

    assert_eq!(
        redis.client().counts().downs,
        1000,
        "each request met a connection of its own"
    );
    for (_, words) in BAD {
        assert!(
            told.iter().any(|told| told.contains(words)),
            "nobody was told `{words}`: {told:#?}"
        );
    }
    assert!(
        first.bytes_current > 10_000,
        "{} bytes cannot be all that lives",
        first.bytes_current
    );
    assert!(
        rest.bytes_current <= first.bytes_current / 10,
        "{} bytes live after 100 bad connections, {} more after 1,000",
        first.bytes_current,
        rest.bytes_current
    );
}
