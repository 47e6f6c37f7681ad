//! A crowd on real sockets, and what is left when it has gone: nothing. A program of its own, since it
//! counts the descriptors and the tasks of all.

use std::net::Ipv4Addr;
use std::time::Duration;

use statem::net::Server;
use statem_examples::chat_server::crowd::{Crowd, OF_ROOM};
use statem_examples::chat_server::{Chat, listen};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

/// Each has two descriptors in this process, of which many systems allow 1,024.
const MEMBERS: usize = 400;
const LINES: u32 = 20;

/// What this process has.
#[derive(Debug, PartialEq)]
struct Held {
    tasks: usize,
    descriptors: usize,
}

fn held() -> Held {
    Held {
        tasks: Handle::current().metrics().num_alive_tasks(),
        descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
    }
}

/// Waits until something is so, which it must be soon.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let so = timeout(Duration::from_secs(20), async {
        while !is_so() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(so.await.is_ok(), "{what}, after 20 s: {:?}", held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_loses_no_line_and_leaves_nothing_behind() {
    let before = held();
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let chat = Chat::default();
    let server = chat.server(listener).start();
    let with_server = held();

    // One crowd says goodbye; of the next one every connection is dropped without a word.
    for says_goodbye in [true, false] {
        let mut crowd = Crowd::enter(address, MEMBERS)
            .await
            .expect("all are let in");
        assert_eq!(server.counts().open(), MEMBERS as u64);
        assert_eq!(chat.rooms.names().len(), MEMBERS / OF_ROOM);
        let talk = timeout(Duration::from_secs(60), crowd.talk(LINES));
        talk.await
            .expect("all is heard in time")
            .expect("each line is heard by all, once and in order");
        if says_goodbye {
            crowd.leave().await.expect("all hear a goodbye");
        } else {
            drop(crowd);
        }
        until("somebody is still there", || server.counts().open() == 0).await;
        until("a room is still there", || chat.rooms.names().is_empty()).await;
        until("a task or a descriptor is left", || held() == with_server).await;
    }
    assert_balanced(&server);
    server.shutdown(Duration::from_secs(5)).await;
    until("a task or a descriptor is left", || held() == before).await;
}

fn assert_balanced(server: &Server) {
    let counts = server.counts();
    let all = 2 * MEMBERS as u64;
    assert_eq!((counts.started, counts.ended, counts.failed), (all, all, 0));
}
