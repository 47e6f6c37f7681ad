//! What happens when accepting fails.

use std::io::ErrorKind;
use std::time::Duration;

use statem::Status;

use crate::support::{Door, Marks, balanced, ms, rest, server};

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
