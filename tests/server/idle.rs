//! Peers that say nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::support::{Door, Marks, balanced, ms, now, server};

const LIMIT: Duration = Duration::from_secs(10);
const ALMOST: Duration = Duration::from_millis(9900);

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_left_between_the_limit_and_twice_the_limit() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).idle_timeout(LIMIT).start();
    let before = now();
    let mut mute = door.knock();
    assert_eq!(mute.hear().await, None);
    assert_eq!(now() - before, LIMIT);

    let before = now();
    let mut client = door.knock();
    tokio::time::sleep(ms(4000)).await;
    assert!(client.is_served().await);
    let heard = now();
    assert_eq!(client.hear().await, None);
    assert!((LIMIT..=LIMIT * 2).contains(&(now() - heard)));
    assert_eq!(now() - before, LIMIT * 2);
    let why = "reading failed: the peer has sent nothing for 10s";
    let normally = "it ended normally";
    assert_eq!(marks.take(), [why, normally, why, normally]);
    assert_eq!(balanced(&server).await.ended, 2);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_something_now_and_then_stays() {
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).idle_timeout(LIMIT).start();
    let mut client = door.knock();
    for _ in 0..20 {
        tokio::time::sleep(ALMOST).await;
        assert!(client.is_served().await);
    }
    // Bytes are enough; whole frames are the matter of the machine.
    for _ in 0..20 {
        tokio::time::sleep(ALMOST).await;
        client.0.write_all(b"x").await.expect("it is there");
    }
    assert_eq!(client.ask("").await, Some("x".repeat(20)));
}

#[tokio::test(start_paused = true)]
async fn n42_what_is_written_to_a_silent_peer_does_not_keep_it() {
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).idle_timeout(LIMIT).start();
    let mut client = door.knock();
    let before = now();
    assert_eq!(client.ask("tick").await.as_deref(), Some("tick"));
    while let Some(line) = client.hear().await {
        assert_eq!(line, "tick");
    }
    assert!(now() - before <= LIMIT * 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_a_silent_peer_stays() {
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).start();
    let mut client = door.knock();
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert!(client.is_served().await);
}
