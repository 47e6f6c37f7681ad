//! What happens in one connection harms no other.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use statem::net::{Accepted, Server};

use crate::support::{Door, Marks, balanced, echo, ms, rest, server};

#[tokio::test(start_paused = true)]
async fn a_machine_that_panics_or_fails_harms_no_other() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut other = door.knock();
    assert!(other.is_served().await);
    for word in ["panic", "fail", "bye", "panic"] {
        let mut client = door.knock();
        assert!(client.is_served().await);
        assert_eq!(client.ask(word).await, None, "{word}");
        assert!(other.is_served().await);
    }
    rest().await;
    let counts = server.counts();
    assert_eq!((counts.ended, counts.failed, counts.open()), (1, 3, 1));
    server.shutdown(ms(200)).await;
    balanced(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_machine_is_made_closes_that_connection() {
    let (door, marks) = (Door::default(), Marks::default());
    let first = AtomicBool::new(true);
    let server = Server::builder(door.listener(), move |accepted: Accepted| {
        assert!(!first.swap(false, Ordering::Relaxed), "the first one");
        echo(&marks, accepted.io)
    });
    let server = server.start();
    let mut first = door.knock();
    assert_eq!(first.hear().await, None);
    let mut second = door.knock();
    assert!(second.is_served().await);
    let counts = server.counts();
    assert_eq!((counts.started, counts.failed, counts.open()), (2, 1, 1));
}

/// Thrown by a panic; its drop panics, after the value in it went.
struct Thrown(Option<Arc<()>>);

impl Drop for Thrown {
    fn drop(&mut self) {
        self.0 = None;
        panic!("while it was dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_panic_throws_while_a_machine_is_made_is_dropped() {
    let (door, marks) = (Door::default(), Marks::default());
    let held = Arc::new(());
    let (thrown, own) = (held.clone(), marks.clone());
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server = Server::builder(door.listener(), move |accepted: Accepted| {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => panic_any(thrown.clone()),
            1 => panic_any(Thrown(Some(thrown.clone()))),
            _ => echo(&own, accepted.io),
        }
    });
    let server = server.start();
    for _ in 0..2 {
        assert_eq!(door.knock().hear().await, None);
        assert_eq!(Arc::strong_count(&held), 2, "the closure has one");
    }
    assert!(door.knock().is_served().await);
    server.shutdown(ms(1)).await;
    assert_eq!(server.counts().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn connections_that_come_and_go_leave_no_task() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let (door, marks) = (Door::default(), Marks::default());
    let before = tasks();
    let server = server(&door, &marks).limit(7).start();
    for _ in 0..200 {
        let mut clients: Vec<_> = (0..5).map(|_| door.knock()).collect();
        for client in &mut clients {
            assert!(client.is_served().await);
        }
    }
    rest().await;
    assert_eq!(tasks(), before + 1);
    let counts = balanced(&server).await;
    assert_eq!((counts.ended, counts.open()), (1000, 0));
}
