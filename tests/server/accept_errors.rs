//! What happens when accepting fails.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use statem::Status;
use statem::net::{Accept, Accepted, Server};
use tokio::io::{DuplexStream, duplex};
use tokio::time::sleep;

use crate::support::{Client, Door, Marks, balanced, echo, lock, ms, rest, server};

/// What the standard library makes of EMFILE has no kind of its own.
const NO_DESCRIPTORS: ErrorKind = ErrorKind::Other;

#[tokio::test(start_paused = true)]
pub(crate) async fn without_descriptors_a_server_neither_spins_nor_forgets_who_is_there() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    let before = door.attempts();
    door.fail(Some(NO_DESCRIPTORS));
    let mut waiting = door.knock();
    for _ in 0..60 {
        assert!(client.is_served().await);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(matches!(
            server.status(),
            Status::Running("Paused" | "Listening")
        ));
    }
    let attempts = door.attempts() - before;
    assert!((30..=300).contains(&attempts), "{attempts} in a minute");
    door.fail(None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(waiting.is_served().await, "not later than a second after");
    // The first one had begun before.
    let errors = server.counts().accept_errors;
    assert!(errors >= 30 && errors <= attempts as u64 + 1, "{errors}");

    // The next time it is soon again.
    door.fail(Some(NO_DESCRIPTORS));
    rest().await;
    door.fail(None);
    tokio::time::sleep(ms(100)).await;
    assert!(door.knock().is_served().await);
    server.shutdown(ms(1)).await;
    balanced(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_while_others_do_while_accepting_fails_is_accounted_for() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    door.fail(Some(NO_DESCRIPTORS));
    rest().await;
    assert!(matches!(server.status(), Status::Running("Paused")));
    assert_eq!(client.ask("bye").await, None);
    rest().await;
    assert_eq!(server.counts().open(), 0);
    assert!(matches!(server.status(), Status::Running("Paused")));
    server.shutdown(ms(100)).await;
    assert!(door.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_aborted_before_it_was_accepted_holds_up_no_other() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    rest().await;
    door.fail(Some(ErrorKind::ConnectionAborted));
    tokio::task::yield_now().await;
    door.fail(None);
    let mut client = door.knock();
    assert!(client.is_served().await);
    assert_eq!(server.counts().accept_errors, 0);
}

/// Acceptors of which each but the second fails, which takes longer over its connection: it reads a
/// proxy's line, say.
struct Slow {
    acceptors: AtomicUsize,
    far: Mutex<Option<DuplexStream>>,
}

impl Accept for Slow {
    async fn accept(&self) -> io::Result<Accepted> {
        if self.acceptors.fetch_add(1, Ordering::Relaxed) != 1 {
            sleep(ms(10)).await;
            return Err(NO_DESCRIPTORS.into());
        }
        let io = lock(&self.far).take().expect("it is the second once");
        sleep(ms(20)).await;
        let io = Box::new(io);
        Ok(Accepted { io, peer: None })
    }
}

fn slow() -> (Slow, Client) {
    let (near, far) = duplex(64);
    let acceptors = AtomicUsize::new(0);
    let far = Mutex::new(Some(far));
    (Slow { acceptors, far }, Client(near))
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_an_acceptor_has_in_hand_is_served_though_another_one_fails() {
    let (slow, mut client) = slow();
    let marks = Marks::default();
    let own = marks.clone();
    // So long a pause that the connection comes in the midst of it.
    let builder = Server::builder(slow, move |accepted: Accepted| echo(&own, accepted.io))
        .backoff(
            statem::Backoff::default()
                .first(Duration::from_secs(60))
                .seed(1),
        )
        .acceptors(2);
    let server = builder.start();
    sleep(ms(15)).await;
    assert!(matches!(server.status(), Status::Running("Paused")));
    sleep(ms(10)).await;
    assert!(matches!(server.status(), Status::Running("Paused")));
    assert!(client.is_served().await);
    assert_eq!(server.counts().accepted, 1);
    assert!(server.counts().accept_errors < 3, "{:?}", server.counts());
    server.shutdown(ms(1)).await;
    balanced(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_an_acceptor_has_in_hand_is_closed_when_the_server_is_shut_down() {
    let (slow, mut client) = slow();
    let marks = Marks::default();
    let own = marks.clone();
    let builder = Server::builder(slow, move |accepted: Accepted| echo(&own, accepted.io));
    let server = builder.acceptors(2).start();
    sleep(ms(5)).await;
    server.shutdown(Duration::from_secs(1)).await;
    assert_eq!(client.hear().await, None);
    assert_eq!(balanced(&server).await.accepted, 0);
}
