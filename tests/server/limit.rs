//! How many connections are open at once.

use std::sync::atomic::Ordering;

use statem::Status;
use statem::net::AtLimit;

use crate::support::{Door, Marks, balanced, ms, now, rest, server};

#[tokio::test(start_paused = true)]
pub(crate) async fn at_the_limit_connections_wait_until_one_has_ended() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).limit(2).start();
    let [mut a, mut b, mut c, mut d] = [door.knock(), door.knock(), door.knock(), door.knock()];
    assert!(a.is_served().await && b.is_served().await);
    assert!(matches!(server.status(), Status::Running("Full")));
    assert_eq!(door.waiting(), 2, "nobody has accepted them");
    drop(a);
    assert!(c.is_served().await);
    assert_eq!(door.waiting(), 1);
    assert!(b.is_served().await);
    drop((b, c));
    assert!(d.is_served().await);
    assert!(matches!(server.status(), Status::Running("Listening")));
    server.shutdown(ms(1)).await;
    let counts = balanced(&server).await;
    assert_eq!((counts.accepted, counts.refused), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_further_connections_are_closed_at_once_if_that_is_the_choice() {
    let (door, marks) = (Door::default(), Marks::default());
    let builder = server(&door, &marks).limit(2).at_limit(AtLimit::Refuse);
    let server = builder.start();
    let [mut a, mut b, mut c] = [door.knock(), door.knock(), door.knock()];
    assert!(a.is_served().await && b.is_served().await);
    assert_eq!(c.hear().await, None);
    assert!(matches!(server.status(), Status::Running("Listening")));
    drop(a);
    rest().await;
    assert!(door.knock().is_served().await);
    server.shutdown(ms(1)).await;
    let counts = balanced(&server).await;
    assert_eq!((counts.accepted, counts.refused, counts.started), (4, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn several_acceptors_do_not_pass_the_limit() {
    for policy in [AtLimit::Wait, AtLimit::Refuse] {
        let (door, marks) = (Door::default(), Marks::default());
        let builder = server(&door, &marks).limit(3).at_limit(policy);
        let server = builder.acceptors(8).start();
        door.take(ms(10));
        let mut clients: Vec<_> = (0..20).map(|_| door.knock()).collect();
        rest().await;
        rest().await;
        for client in &mut clients {
            client.say("bye").await;
            client.hear().await;
        }
        // One is the closure's.
        assert_eq!(marks.most.load(Ordering::Relaxed), 3 + 1, "{policy:?}");
        let counts = balanced(&server).await;
        assert_eq!(counts.accepted, 20);
        assert_eq!(counts.refused > 0, policy == AtLimit::Refuse);
    }
}

#[tokio::test(start_paused = true)]
async fn acceptors_that_take_their_time_work_side_by_side() {
    let served_after = async |acceptors| {
        let (door, marks) = (Door::default(), Marks::default());
        door.take(ms(100));
        let _server = server(&door, &marks).acceptors(acceptors).start();
        let mut clients: Vec<_> = (0..4).map(|_| door.knock()).collect();
        let before = now();
        // As many acceptors wait as there are; each knock wakes one.
        for client in &mut clients {
            assert_eq!(client.ask("hello").await.as_deref(), Some("hello"));
        }
        now() - before
    };
    assert_eq!(served_after(1).await, ms(400));
    assert_eq!(served_after(4).await, ms(100));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_none_is_one_of_one() {
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).limit(0).acceptors(0).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
}
