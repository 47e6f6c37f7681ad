//! [`Link::close`](statem::net::Link::close), and the limit of a write.

use std::io;
use std::time::Duration;

use statem::net::LinkConfig;
use statem::testing::{Bench, Wire};
use tokio::time::advance;

use crate::owner::{Owner, World, act, deed, handed, news, talking};

const SECOND: Duration = Duration::from_secs(1);
/// A millisecond less.
const ALMOST: Duration = Duration::from_millis(999);
const END: &str = "closed: the peer closed the connection";
const CLOSE_TIMEOUT: &str = "closed: the peer did not close the connection within 1s";
const WRITE_TIMEOUT: &str = "closed: the peer accepted no byte for 1s";

fn limited() -> LinkConfig {
    LinkConfig::default().write_timeout(SECOND)
}

fn close(world: &mut World) {
    world.link().close(SECOND);
}

/// Lets so much time pass; what has happened then.
async fn after(owner: &mut Bench<Owner>, time: Duration) -> Vec<String> {
    owner.poll();
    advance(time).await;
    news(owner)
}

/// A machine that has said goodbye to a peer that reads.
fn closing() -> (Bench<Owner>, Wire) {
    let (mut owner, far) = talking(LinkConfig::default());
    act(&mut owner, |world| {
        world.send("last words");
        close(world);
    });
    (owner, far)
}

#[tokio::test(start_paused = true)]
async fn a_link_that_closes_writes_shuts_its_side_and_waits_for_the_peers_end() {
    let (mut owner, far) = closing();
    assert_eq!(far.take_written(), b"last words\n");
    assert!(far.is_shut() && !far.is_closed());
    act(&mut owner, |world| world.send("more"));
    far.send("one\n");
    assert_eq!(news(&mut owner), ["closed for more", "line one"]);
    assert!(after(&mut owner, SECOND / 2).await.is_empty());
    far.send("two\n");
    far.end();
    assert_eq!(news(&mut owner), ["line two", END]);
    assert!(far.is_closed());
    assert_eq!(owner.sources().count(), 0);
}

#[test]
fn a_link_that_closes_with_nothing_to_write_shuts_its_side_at_once() {
    let (mut owner, far) = talking(LinkConfig::default());
    owner.send(deed(|world, _| close(world)));
    assert!(far.is_shut() && !far.is_closed());
    assert!(news(&mut owner).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_close_is_left_in_time() {
    let (mut owner, far) = closing();
    far.send("whole\nhal");
    assert_eq!(news(&mut owner), ["line whole"]);
    assert!(after(&mut owner, ALMOST).await.is_empty());
    assert!(!far.is_closed());
    assert_eq!(
        after(&mut owner, Duration::from_millis(1)).await,
        [CLOSE_TIMEOUT]
    );
    assert!(far.is_closed());
    assert_eq!(handed(&owner), [true]);
}

#[tokio::test(start_paused = true)]
async fn n80_a_peer_that_does_not_read_is_left_in_time_and_what_it_did_not_accept_was_not_sent() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(2);
    act(&mut owner, |world| {
        world.send("one");
        world.send("two");
        close(world);
    });
    assert!(!far.is_shut());
    // What it says meanwhile is heard.
    far.send("hello\n");
    assert_eq!(news(&mut owner), ["line hello"]);
    assert_eq!(after(&mut owner, SECOND).await, [CLOSE_TIMEOUT]);
    assert_eq!(handed(&owner), [true, false]);
    assert!(far.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_closed_its_side_gets_the_last_words_before_the_end_is_told() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(3);
    act(&mut owner, |world| {
        world.send("last words");
        close(world);
    });
    far.end();
    assert!(news(&mut owner).is_empty());
    far.accept(usize::MAX);
    assert_eq!(news(&mut owner), [END]);
    assert_eq!(far.take_written(), b"last words\n");
    assert!(far.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_while_the_link_closes_ends_at_once() {
    let (mut owner, far) = closing();
    far.fail(io::ErrorKind::ConnectionReset);
    assert_eq!(
        news(&mut owner),
        ["closed: reading failed: connection reset"]
    );
    assert!(after(&mut owner, 2 * SECOND).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_last_goodbye_counts() {
    for (second, first_passes) in [(SECOND / 4, false), (SECOND * 4, true)] {
        let (mut owner, far) = closing();
        act(&mut owner, move |world| world.link().close(second));
        assert!(after(&mut owner, SECOND / 8).await.is_empty());
        let told = after(&mut owner, SECOND).await;
        assert_eq!(
            (told.is_empty(), far.is_closed()),
            (first_passes, !first_passes)
        );
        act(&mut owner, |world| world.link().close(Duration::ZERO));
        owner.poll();
        advance(Duration::from_millis(1)).await;
        owner.poll();
        assert!(far.is_closed());
    }
}

#[tokio::test(start_paused = true)]
async fn n40_a_machine_that_postpones_what_comes_has_its_socket_closed_in_time_and_is_told_later() {
    for passive in [false, true] {
        let credits = usize::from(!passive);
        let (mut owner, far) = talking(LinkConfig::default().credits(credits));
        act(&mut owner, |world| {
            world.holds = true;
            close(world);
        });
        far.send("one\ntwo\n");
        owner.poll();
        assert!(after(&mut owner, SECOND).await.is_empty());
        assert!(far.is_closed() && far.is_shut());
        act(&mut owner, |world| {
            world.release();
            world.link().read(3);
        });
        let told = news(&mut owner);
        // Without a credit nothing was read.
        let wanted = if passive {
            &[CLOSE_TIMEOUT][..]
        } else {
            &["line one", "line two", CLOSE_TIMEOUT]
        };
        assert_eq!(told, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn n83_a_link_that_is_dropped_while_it_closes_is_gone_at_once() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(3);
    act(&mut owner, |world| {
        world.send("last words");
        close(world);
    });
    owner.send(deed(|world, _| world.lines = None));
    assert!(far.is_closed());
    assert!(after(&mut owner, 2 * SECOND).await.is_empty());
    assert_eq!(far.take_written(), b"las");
}

#[test]
fn on_a_bench_without_a_runtime_a_link_closes_when_the_peer_does() {
    let (mut owner, far) = closing();
    assert!(far.is_shut() && !far.is_closed());
    far.end();
    assert_eq!(news(&mut owner), [END]);
}

#[tokio::test(start_paused = true)]
async fn to_close_a_link_that_has_ended_changes_nothing() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.end();
    assert_eq!(news(&mut owner), [END]);
    act(&mut owner, close);
    assert!(after(&mut owner, 2 * SECOND).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_nothing_ends_the_connection_at_the_limit_of_a_write() {
    let (mut owner, far) = talking(limited());
    // Nothing is to be written: no time runs.
    assert!(after(&mut owner, 5 * SECOND).await.is_empty());
    far.accept(2);
    act(&mut owner, |world| {
        world.send("one");
        world.send("two");
    });
    // Reading goes on, and is no progress.
    assert!(after(&mut owner, SECOND / 2).await.is_empty());
    far.send("hello\n");
    assert_eq!(news(&mut owner), ["line hello"]);
    far.send("whole\nhal");
    assert_eq!(
        after(&mut owner, SECOND / 2).await,
        ["line whole", WRITE_TIMEOUT]
    );
    assert!(far.is_closed());
    assert_eq!(handed(&owner), [true, false]);
    act(&mut owner, |world| world.send("three"));
    assert_eq!(news(&mut owner), ["closed for three"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_a_byte_now_and_then_is_waited_for() {
    let (mut owner, far) = talking(limited());
    far.accept(0);
    act(&mut owner, |world| world.send("one"));
    for _ in 0..4 {
        assert!(after(&mut owner, ALMOST).await.is_empty());
        far.accept(1);
        owner.poll();
    }
    assert_eq!(far.take_written(), b"one\n");
    // All is written.
    assert!(after(&mut owner, 5 * SECOND).await.is_empty());
    far.accept(0);
    act(&mut owner, |world| world.send("two"));
    assert!(after(&mut owner, ALMOST).await.is_empty());
    assert_eq!(
        after(&mut owner, Duration::from_millis(1)).await,
        [WRITE_TIMEOUT]
    );
}

#[tokio::test(start_paused = true)]
async fn n40_the_limit_of_a_write_holds_for_a_machine_that_postpones_its_frames() {
    let (mut owner, far) = talking(limited().credits(1));
    act(&mut owner, |world| world.holds = true);
    far.send("one\ntwo\n");
    far.accept(0);
    act(&mut owner, |world| world.send("x"));
    assert!(after(&mut owner, SECOND).await.is_empty());
    assert!(far.is_closed());
    act(&mut owner, World::release);
    assert_eq!(news(&mut owner), ["line one", "line two", WRITE_TIMEOUT]);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_a_write_may_wait_for_ever() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(0);
    act(&mut owner, |world| world.send("one"));
    assert!(after(&mut owner, 1_000_000 * SECOND).await.is_empty());
    far.accept(usize::MAX);
    owner.poll();
    assert_eq!(far.take_written(), b"one\n");
}
