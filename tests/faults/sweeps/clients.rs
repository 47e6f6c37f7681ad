//! Every public future of a client is dropped after its k-th poll, for every k.

use std::task::Poll;

use statem::Status;
use tokio::time::sleep;

use super::greeting;
use crate::support::caller::{Caller, How, Rig, all};
use crate::support::memory::Network;
use crate::support::protocol::{Lines, Manners};
use crate::support::row::tell;
use crate::support::server::Conduct;
use crate::support::time::{millis, settle, within};

/// Polls a future so often at most, and drops it then. `None` if it was not ready.
async fn cancelled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut polled = 0;
    std::future::poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last one: it is dropped before anything else happens.
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Where a client is when a future is made.
#[derive(Clone, Copy, Debug)]
enum Where {
    NotConnected,
    Greeting,
    Idle,
    /// As many are in flight as may be.
    Full,
}

/// The public futures of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Call,
    Ready,
    Subscribe,
    Reconnect,
    Inspect,
    Changed,
    Closed,
    Shutdown,
    Stop,
}

/// One run in which a future is dropped after so many polls; whether it was ready before.
async fn dropped_after(polls: usize, wish: Wish, place: Where) -> bool {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    if matches!(place, Where::NotConnected) {
        network.plan(|_| crate::support::memory::Fate::Hangs);
    }
    let protocol = Lines(Manners {
        pings: true,
        ..greeting()
    });
    let caller = rig.start(
        protocol,
        network.connector().connect_timeout(millis(20)),
        |b| b.window(4),
    );
    match place {
        Where::NotConnected => caller.until_in("Connecting").await,
        Where::Greeting => {
            server.answers(false);
            caller.until_in("Handshaking").await;
        }
        Where::Idle => caller.works().await,
        Where::Full => {
            caller.works().await;
            server.answers(false);
        }
    }
    // Others, before and after.
    let before = caller.spawn_many(6, How::default());
    settle().await;
    // What the future waits for comes in between.
    let (there, answering) = (server.clone(), network.clone());
    let helping = tokio::spawn(async move {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        sleep(millis(5)).await;
        let serving = there.clone();
        answering.plan(move |_| crate::support::memory::Fate::Reaches(serving.clone()));
        there.answers(true);
    });
    let was_ready = wished(polls, wish, &caller).await;
    let after = caller.spawn_many(6, How::default());
    helping.await.unwrap();
    let ends = polls > 0 && matches!(wish, Wish::Shutdown | Wish::Stop);
    let (before, after) = (all(before).await, all(after).await);
    if ends {
        within(millis(5_000), "it ends in any case", caller.client.closed()).await;
    } else {
        assert!(
            before.iter().chain(&after).all(Result::is_ok),
            "{before:?} {after:?}"
        );
        assert!(matches!(caller.client.status(), Status::Running(_)));
        caller.works().await;
    }
    // A connection that was replaced is closed when it is answered.
    let order = rig.ledger.order();
    assert!(
        ends || wish == Wish::Reconnect || order.is_sorted(),
        "in order: {order:?}"
    );
    assert_eq!(rig.ledger.twice(), 0);
    rig.end(caller).await;
    was_ready
}

async fn wished(polls: usize, wish: Wish, caller: &Caller<Lines>) -> bool {
    let client = &caller.client;
    let limit = millis(2_000);
    match wish {
        Wish::Call => cancelled(polls, caller.ask(How::default())).await.is_some(),
        Wish::Ready => cancelled(polls, client.ready()).await.is_some(),
        Wish::Subscribe => cancelled(polls, client.subscribe(4)).await.is_some(),
        Wish::Reconnect => cancelled(polls, client.reconnect_now()).await.is_some(),
        Wish::Inspect => cancelled(polls, client.inspect()).await.is_some(),
        Wish::Changed => {
            let mut watch = client.watch();
            let changed = async {
                // From the second change on, as a user follows it.
                watch.changed().await
            };
            cancelled(polls, within(limit, "a change", changed))
                .await
                .is_some()
        }
        Wish::Closed => {
            let closed = async {
                let _ = tokio::time::timeout(millis(10), client.closed()).await;
            };
            cancelled(polls, closed).await.is_some()
        }
        Wish::Shutdown => cancelled(polls, client.shutdown(limit)).await.is_some(),
        Wish::Stop => cancelled(polls, client.stop()).await.is_some(),
    }
}

#[tokio::test(start_paused = true)]
async fn every_public_future_of_a_client_may_be_dropped_after_any_poll() {
    let mut runs = 0;
    for place in [
        Where::NotConnected,
        Where::Greeting,
        Where::Idle,
        Where::Full,
    ] {
        for wish in [
            Wish::Call,
            Wish::Ready,
            Wish::Subscribe,
            Wish::Reconnect,
            Wish::Inspect,
            Wish::Changed,
            Wish::Closed,
            Wish::Shutdown,
            Wish::Stop,
        ] {
            // A watch whose state does not change again is never ready.
            let idle = matches!((wish, place), (Wish::Changed, Where::Idle | Where::Full));
            for polls in 0..=if idle { 1 } else { 40 } {
                runs += 1;
                if dropped_after(polls, wish, place).await {
                    break;
                }
                assert!(
                    polls < 40,
                    "{wish:?} in {place:?} is not ready after 40 polls"
                );
            }
        }
    }
    tell(
        "sweeps",
        format!("{runs} futures dropped after every poll: nothing lost, nothing doubled"),
    );
}
